"""How fast a service runs and heals, beside Docker Swarm on the same engine, in turns.

Ten and thirty replicas of a sleeping container whose image is present, on one host, bridge network,
no published port: from the call that creates the service until the orchestrator itself reports all
of them running. Then `docker kill` of each replica of a service that has run for half a minute (one
that ends earlier is a failed start to ECS, and waits longer each time): until a replacement is
reported running, Swarm with a restart delay of zero. Moorage's settle time is zero here: it delays no
task in either case.
"""

import json
import time
import urllib.parse
from collections import defaultdict
from typing import Any

from stage import answer, caller, engine, median, moorage, record, seconds_until, spread, table
from tests.clients.place import Place
from tests.clients.signed import Caller
from tests.engine import Engine

SIZES = (10, 30)
HEALING = 5
OLD_ENOUGH_SECONDS = 31.0
COMMAND = ["/bin/sleep", "3600"]
NANOSECONDS_NONE = 0
_LABEL = urllib.parse.quote(json.dumps({"label": ["com.amazonaws.ecs.task-arn"]}))
_OURS = f"/containers/json?all=1&filters={_LABEL}"


class Swarm:
    """Docker Swarm of one node, spoken to over the engine's socket."""

    def __init__(self, engine: Engine) -> None:
        """Make the swarm."""
        self.engine = engine
        made = self._call(
            "POST", "/swarm/init", {"ListenAddr": "127.0.0.1:0", "AdvertiseAddr": "127.0.0.1"}
        )
        assert made, "the engine made no swarm"

    def create(self, name: str, count: int) -> None:
        """Create a service; returns once it is accepted."""
        container = {"Image": "moorage-test/busybox:1", "Args": COMMAND, "StopSignal": "SIGKILL"}
        spec = {
            "Name": name,
            "TaskTemplate": {
                "ContainerSpec": container,
                "RestartPolicy": {"Condition": "any", "Delay": NANOSECONDS_NONE},
            },
            "Mode": {"Replicated": {"Replicas": count}},
        }
        self._call("POST", "/services/create", spec)

    def running(self, name: str) -> dict[str, str]:
        """The tasks that run and shall run: task id to container id."""
        filters = urllib.parse.quote(json.dumps({"service": [name], "desired-state": ["running"]}))
        return {
            task["ID"]: task["Status"]["ContainerStatus"]["ContainerID"]
            for task in self._call("GET", f"/tasks?filters={filters}")
            if task["Status"]["State"] == "running"
        }

    def remove(self, name: str) -> None:
        """Remove the service and wait until its containers are gone."""
        self._call("DELETE", f"/services/{name}")
        label = {"label": [f"com.docker.swarm.service.name={name}"]}
        filters = urllib.parse.quote(json.dumps(label))
        where = f"/containers/json?all=1&filters={filters}"
        seconds_until(lambda: not self._call("GET", where), time.perf_counter())

    def leave(self) -> None:
        """Leave the swarm."""
        self._call("POST", "/swarm/leave?force=1")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        status, text = self.engine.call(method, path, sent, "application/json")
        assert status < 400, (method, path, text)
        return json.loads(text) if text.strip() else None


class Ours:
    """Moorage with one host on the same engine, the image pulled beforehand."""

    def __init__(self, place: Place) -> None:
        """Push the image, define the task, and run one so that the image is present."""
        self.place = place
        self.caller: Caller = caller(place)
        uri = place.repository("bench")
        place.login()
        image = place.push("moorage-test/busybox:1", f"{uri}:1")
        self.definition = place.register(
            "bench", {"image": image, "command": COMMAND, "memory": 16}
        )
        self.create("warm", 1)
        seconds_until(lambda: len(self.running("warm")) == 1, time.perf_counter())
        self.remove("warm")

    def create(self, name: str, count: int) -> None:
        """Create a service; returns once it is accepted."""
        answer(
            self.caller.call(
                "ecs",
                "CreateService",
                {"serviceName": name, "taskDefinition": self.definition, "desiredCount": count},
            )
        )

    def running(self, name: str) -> dict[str, str]:
        """The tasks that run and shall run: task ARN to container id."""
        query = {"serviceName": name, "desiredStatus": "RUNNING"}
        arns = answer(self.caller.call("ecs", "ListTasks", query))["taskArns"]
        if not arns:
            return {}
        tasks = answer(self.caller.call("ecs", "DescribeTasks", {"tasks": arns}))["tasks"]
        return {
            task["taskArn"]: task["containers"][0]["runtimeId"]
            for task in tasks
            if task["lastStatus"] == "RUNNING"
        }

    def remove(self, name: str) -> None:
        """Delete the service, kill and remove its containers, and wait until ECS knows."""
        ids = list(self.running(name).values())
        answer(self.caller.call("ecs", "DeleteService", {"service": name, "force": True}))
        for one in ids:
            self.place.engine.call("POST", f"/containers/{one}/kill")

        def gone() -> bool:
            told = answer(self.caller.call("ecs", "DescribeServices", {"services": [name]}))
            return told["services"][0]["status"] == "INACTIVE"

        seconds_until(gone, time.perf_counter())
        for row in json.loads(self.place.engine.call("GET", _OURS)[1]):
            self.place.engine.call("DELETE", f"/containers/{row['Id']}?force=1&v=1")


def measure(rounds: int) -> None:
    """Run the benchmark and print its figures."""
    times: dict[str, list[float]] = defaultdict(list)
    with engine() as own, moorage(own, 1, "--settle-seconds", "0") as place:
        peers: dict[str, Swarm | Ours] = {"swarm": Swarm(own), "moorage": Ours(place)}
        for _ in range(rounds):
            for size in SIZES:
                for name, peer in peers.items():
                    times[f"{name}_{size}"].append(_creation(peer, f"s{size}", size))
            _start_healing(list(peers.values()))
            for name, peer in peers.items():
                times[f"{name}_replace"] += _replacements(peer, own)
    rows = []
    figures: dict[str, object] = {"rounds": rounds, "settle_seconds": 0}
    for what, target in (("10", "<= 1.0"), ("30", "<= 1.0"), ("replace", "<= 1.0 s")):
        ours, theirs = times[f"moorage_{what}"], times[f"swarm_{what}"]
        ratio = median(ours) / median(theirs)
        title = f"{what} replicas run" if what.isdigit() else "replaced after docker kill"
        rows.append((title, spread(ours), spread(theirs), f"{ratio:.2f}", target))
        figures |= {
            f"moorage_{what}_seconds": median(ours),
            f"swarm_{what}_seconds": median(theirs),
        }
    columns = ("seconds, median [least..most]", "Moorage", "Docker Swarm", "ratio", "target")
    table("Services on one engine, in turns", columns, rows)
    record("swarm", figures)


def _creation(peer: Swarm | Ours, name: str, size: int) -> float:
    began = time.perf_counter()
    peer.create(name, size)
    took = seconds_until(lambda: len(peer.running(name)) == size, began)
    peer.remove(name)
    time.sleep(1)  # both find an engine that has come to rest
    return took


def _start_healing(peers: list[Swarm | Ours]) -> None:
    for peer in peers:
        peer.create("healing", HEALING)
    for peer in peers:
        seconds_until(
            lambda peer=peer: len(peer.running("healing")) == HEALING, time.perf_counter()
        )
    time.sleep(OLD_ENOUGH_SECONDS)


def _replacements(peer: Swarm | Ours, own: Engine) -> list[float]:
    found = []
    for victim, container in peer.running("healing").items():
        began = time.perf_counter()
        own.call("POST", f"/containers/{container}/kill")

        def healed(victim: str = victim) -> bool:
            now = peer.running("healing")
            return len(now) == HEALING and victim not in now

        found.append(seconds_until(healed, began))
        time.sleep(0.5)  # both find an engine that has come to rest
    peer.remove("healing")
    return found
