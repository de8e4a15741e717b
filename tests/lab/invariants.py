"""What must hold whatever befalls a lab, looked at on the engines themselves while a test runs.

`Watch` samples in a thread of its own and judges at the end, so that what the server could not tell
while it was away is known by then. Of the invariants of a control plane (docs/explanation/faults.md):

I3   a service's containers on hosts that nothing befell are at no moment more than its maximum;
I4   when all is over, each service runs what it desires, on the engines too;
I5   then each container of a task is that of a live task of that host, and nothing else is left;
I6   a task never goes back, and one that stopped keeps its one reason;
I11  no host promises more than it has, and no port twice.
"""

import contextlib
import math
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.clients.processes import until
from tests.lab.host import Host
from tests.lab.lab import Lab

PERIOD_SECONDS = 0.25
LOOK_SECONDS_MAX = 2.0
CONVERGED_SECONDS_MAX = 60.0
PAGE = 100
ORDER = (
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
)
RANK = {status: rank for rank, status in enumerate(ORDER)}
Json = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """Which tasks' containers ran on which host at one moment."""

    at: float
    running: dict[str, frozenset[str]]


class Watch:
    """Looks at a lab until told to stop; `broken` collects what must never be."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.broken: list[str] = []
        self.began = time.monotonic()
        self.samples: list[Sample] = []
        self.tasks: dict[str, Json] = {}
        self.maxima: dict[str, int] = {}
        self._known: dict[str, str] = {}
        self._ecs = lab.client("ecs")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")

    def begin(self) -> None:
        """Begin to look."""
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()
        self._ecs.close()

    def _run(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            try:
                self._sample_engines(began)
                self._sample_server()
            except Exception as error:  # noqa: BLE001 - a watch that breaks must say so, not end
                self.broken.append(f"the watch failed: {error!r}")
            self._over.wait(max(0.0, PERIOD_SECONDS - (time.monotonic() - began)))

    def forget(self) -> None:
        """The database is an older one: what is told of tasks may have gone back."""
        self.tasks.clear()

    # -- looking ---------------------------------------------------------------------------------

    def _sample_engines(self, now: float) -> None:
        running = {}
        for host in list(self.lab.hosts):
            if host.machine.lives():
                ids = set(host.engine.processes())
                if ids - self._known.keys():
                    with contextlib.suppress(OSError, AssertionError):
                        self._known |= host.engine.tasks(ended=True, seconds=LOOK_SECONDS_MAX)
                running[host.name] = frozenset(self._known[x] for x in ids if x in self._known)
        if not self.samples or self.samples[-1].running != running:
            self.samples.append(Sample(now, running))

    def _sample_server(self) -> None:
        try:
            for cluster in self._ecs.list_clusters()["clusterArns"]:
                self._note_services(cluster)
                for task in self._server_tasks(cluster):
                    self._note_task(task)
                self._check_hosts(cluster)
        except (BotoCoreError, ClientError):
            return  # the server is away, or restarts; others test that it may

    def _server_tasks(self, cluster: str) -> list[Json]:
        arns: list[str] = []
        for status in ("RUNNING", "STOPPED"):
            pages = self._ecs.get_paginator("list_tasks").paginate(
                cluster=cluster, desiredStatus=status
            )
            arns += [arn for page in pages for arn in page["taskArns"]]
        live = [arn for arn in arns if self._status(arn) != "STOPPED"]
        found: list[Json] = []
        for first in range(0, len(live), PAGE):
            part = live[first : first + PAGE]
            found += self._ecs.describe_tasks(cluster=cluster, tasks=part)["tasks"]
        return found

    def _status(self, arn: str) -> str:
        return str(self.tasks.get(arn, {}).get("lastStatus", ""))

    def _note_services(self, cluster: str) -> None:
        arns = self._ecs.list_services(cluster=cluster)["serviceArns"]
        if not arns:
            return
        told = self._ecs.describe_services(cluster=cluster, services=arns[:10])["services"]
        for service in told:
            percent = service["deploymentConfiguration"]["maximumPercent"]
            most = math.floor(service["desiredCount"] * percent / 100)
            group = f"service:{service['serviceName']}"
            self.maxima[group] = max(self.maxima.get(group, 0), most)

    def _note_task(self, task: Json) -> None:
        """I6: what is noted of a task never goes back."""
        arn, before = task["taskArn"], self.tasks.get(task["taskArn"])
        if before:
            was, now = before["lastStatus"], task["lastStatus"]
            if RANK[now] < RANK[was]:
                self.broken.append(f"I6: {arn} went back from {was} to {now}")
            if before["desiredStatus"] == "STOPPED" != task["desiredStatus"]:
                self.broken.append(f"I6: {arn} was to stop and is to run again")
        self.tasks[arn] = task

    def _check_hosts(self, cluster: str) -> None:
        """I11: nothing is promised twice."""
        arns = self._ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        if not arns:
            return
        told = self._ecs.describe_container_instances(cluster=cluster, containerInstances=arns)
        for one in told["containerInstances"]:
            for left in one["remainingResources"]:
                if left["type"] == "INTEGER" and left["integerValue"] < 0:
                    self.broken.append(f"I11: {one['ec2InstanceId']} promised too much: {left}")
            for kind in ("PORTS", "PORTS_UDP"):
                given = next(x for x in one["remainingResources"] if x["name"] == kind)
                twice = [p for p, n in Counter(given["stringSetValue"]).items() if n > 1]
                if twice:
                    self.broken.append(f"I11: {one['ec2InstanceId']} gave {kind} {twice} twice")

    # -- judging ---------------------------------------------------------------------------------

    def judge(self) -> None:
        """Assert that nothing was broken while it looked; hosts that were disturbed are known now."""
        self._note_stopped()
        self._judge_maxima()
        assert not self.broken, "\n".join(dict.fromkeys(self.broken))

    def _note_stopped(self) -> None:
        """I6: what stopped is still what it was when it was first seen stopped."""
        known = [arn for arn, task in self.tasks.items() if task["lastStatus"] == "STOPPED"]
        for first in range(0, len(known), PAGE):
            part = known[first : first + PAGE]
            for task in self.lab.describe(*part):
                before = self.tasks[task["taskArn"]]
                kept = ("lastStatus", "stopCode", "stoppedReason", "stoppedAt")
                for member in kept:
                    if before.get(member) != task.get(member):
                        self.broken.append(
                            f"I6: {member} of stopped {task['taskArn']} changed from "
                            f"{before.get(member)} to {task.get(member)}"
                        )

    def _judge_maxima(self) -> None:
        """I3, on the hosts that were there throughout."""
        calm = {host.name for host in self.lab.hosts if not host.disturbed}
        for sample in self.samples:
            counts: Counter[str] = Counter()
            for name, arns in sample.running.items():
                if name in calm:
                    counts.update(str(self.tasks.get(arn, {}).get("group", "")) for arn in arns)
            for group, most in self.maxima.items():
                if counts[group] > most:
                    self.broken.append(
                        f"I3: {counts[group]} containers of {group} on {sorted(calm)}, at most "
                        f"{most} may be"
                    )

    def counts(self, service: str, began: float) -> list[int]:
        """How many containers of a service ran on all machines together, since a moment."""
        group = f"service:{service}"
        first = max((n for n, one in enumerate(self.samples) if one.at <= began), default=0)
        return [
            sum(
                self.tasks.get(arn, {}).get("group") == group
                for arns in sample.running.values()
                for arn in arns
            )
            for sample in self.samples[first:]
        ]


def converged(lab: Lab, seconds: float = CONVERGED_SECONDS_MAX) -> None:
    """I4 and I5: wait until services, tasks and containers agree, and assert that nothing is left."""
    until(lambda: not astray(lab), seconds, "all agree", lambda: astray(lab))


def astray(lab: Lab) -> list[str]:
    """In what services, tasks and real containers differ now."""
    found: list[str] = []
    places: dict[str, dict[str, Json]] = defaultdict(dict)
    for cluster in lab.ecs.list_clusters()["clusterArns"]:
        tasks = [task for task in lab.tasks(cluster) if task["lastStatus"] != "STOPPED"]
        names = {
            one["containerInstanceArn"]: one["ec2InstanceId"] for one in lab.instances(cluster)
        }
        for task in tasks:
            places[names.get(task["containerInstanceArn"], "nowhere")][task["taskArn"]] = task
        for arn in lab.ecs.list_services(cluster=cluster)["serviceArns"]:
            told = lab.service(arn, cluster)
            if (told["runningCount"], told["pendingCount"]) != (told["desiredCount"], 0):
                found.append(f"I4: {arn} has {told['runningCount']} of {told['desiredCount']}")
    for host in lab.hosts:
        found += _astray_on(host, places[host.name])
    return found


def _astray_on(host: Host, tasks: dict[str, Json]) -> list[str]:
    """I5 on one machine: the engine's word, /proc and the server's rows are one."""
    if not host.machine.lives():
        return [f"I5: {host.name} has no power, and the tasks {sorted(tasks)}"] if tasks else []
    told = host.engine.tasks()
    real = set(host.engine.processes())
    found = [f"I5: {host.name} has a container of {told[x]}, no task of its" for x in told
             if told[x] not in tasks]  # fmt: skip
    found += [f"I5: {host.name} has no container of {arn}" for arn in tasks
              if arn not in told.values()]  # fmt: skip
    found += [f"I5: {host.name} tells of {one}, which does not run" for one in told.keys() - real]
    found += [f"I5: {one} runs on {host.name}, unknown to it" for one in real - told.keys()]
    twice = [arn for arn, count in Counter(told.values()).items() if count > 1]
    found += [f"I5: {arn} has two containers on {host.name}" for arn in twice]
    return found + [f"I5: {host.name} has {one} left" for one in host.engine.leftovers()]
