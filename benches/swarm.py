"""How fast a service runs, is updated and heals, beside Docker Swarm on the same engine, in turns.

Ten and thirty replicas of a sleeping container, on one host: from the call that creates the service
until the orchestrator itself counts all of them as running; with a published port, each in its own
usual way (Moorage: a port of the host for each task; Swarm: its routing mesh), and without. Then a
rolling update of ten: from the call until the engine runs ten new containers and none of the old;
all new ones may start at once, and start first. Then `docker kill` of each replica of a service
that has run for half a minute (one that ends earlier is a failed start to ECS, and waits longer
each time): until a replacement is reported running.

Both are given the same: the image by the digest under which the engine has it, so that neither asks
a registry; the engine's own bridge, 16 MiB of memory; SIGKILL as the image's stop signal, so that
an old container ends when it is told to; an engine that writes no firewall rules of its own; no
delays (Swarm's restart delay and monitor, Moorage's settle time); one call a look, at the same
pace; and they take turns to begin.
"""

import json
import time
import urllib.parse
from collections import defaultdict
from pathlib import Path
from typing import Any, Protocol

from stage import answer, caller, engine, median, moorage, record, seconds_until, spread, table
from tests.clients.place import Place
from tests.clients.signed import Caller
from tests.engine import Engine

SIZES = (10, 30)
PORT = 80
UPDATED = 10
HEALING = 5
OLD_ENOUGH_SECONDS = 31.0
REST_SECONDS = 1.0
LOOK_SECONDS = 0.025  # each look takes time of the cores that the engine needs
COMMAND = ["/bin/sleep", "3600"]
DOCKERFILE = "FROM moorage-test/busybox:1\nSTOPSIGNAL SIGKILL\n"
MEMORY_MEBIBYTES = 16
NANOSECONDS_LEAST = 1  # zero stands for Swarm's default of five seconds
# What is measured, its name in the figures, and the goal: a ratio, or seconds.
ROWS = (
    ("10 replicas with a port run", "10_port", "<= 0.8"),
    ("30 replicas with a port run", "30_port", "<= 0.8"),
    ("10 replicas without run", "10", "<= 0.8"),
    ("30 replicas without run", "30", "<= 0.8"),
    ("10 replicas updated", "update", "<= 1.0"),
    ("replaced after docker kill", "replace", "<= 0.6 s"),
)


class Peer(Protocol):
    """An orchestrator, as it is measured."""

    def create(self, name: str, count: int, *, published: bool = False) -> None:
        """Create a service, with a published port or without; returns once it is accepted."""
        ...

    def count(self, name: str) -> int:
        """How many of the service's tasks run, as it says itself."""
        ...

    def running(self, name: str) -> dict[str, str]:
        """The tasks that run and shall run: its name for each, to the container's id."""
        ...

    def update(self, name: str) -> None:
        """Replace all tasks of the service; returns once that is accepted."""
        ...

    def remove(self, name: str) -> None:
        """Remove the service and all its containers."""
        ...


class Swarm:
    """Docker Swarm of one node, spoken to over the engine's socket."""

    def __init__(self, engine: Engine, image: str) -> None:
        """Make the swarm; `image` is on the engine, and named by its digest."""
        self.engine = engine
        self.image = image
        made = self._call(
            "POST", "/swarm/init", {"ListenAddr": "127.0.0.1:0", "AdvertiseAddr": "127.0.0.1"}
        )
        assert made, "the engine made no swarm"

    def create(self, name: str, count: int, *, published: bool = False) -> None:
        """Create a service; returns once it is accepted."""
        ports = [{"Protocol": "tcp", "TargetPort": PORT}] if published else []
        update = {
            "Parallelism": UPDATED,
            "Order": "start-first",
            "Delay": 0,
            "Monitor": NANOSECONDS_LEAST,
        }
        spec = {
            "Name": name,
            "TaskTemplate": {
                "ContainerSpec": {"Image": self.image, "Args": COMMAND},
                "Resources": {"Limits": {"MemoryBytes": MEMORY_MEBIBYTES << 20}},
                "RestartPolicy": {"Condition": "any", "Delay": 0},
            },
            "Mode": {"Replicated": {"Replicas": count}},
            "UpdateConfig": update,
            "EndpointSpec": {"Ports": ports},
        }
        self._call("POST", "/services/create", spec)

    def count(self, name: str) -> int:
        """How many of the service's tasks run."""
        told = self._call("GET", f"/services?status=true&{_filters(name=name)}")
        found: int = told[0]["ServiceStatus"]["RunningTasks"]
        return found

    def running(self, name: str) -> dict[str, str]:
        """The tasks that run and shall run: task id to container id."""
        query = _filters(**{"service": name, "desired-state": "running"})
        return {
            task["ID"]: task["Status"]["ContainerStatus"]["ContainerID"]
            for task in self._call("GET", f"/tasks?{query}")
            if task["Status"]["State"] == "running"
        }

    def update(self, name: str) -> None:
        """Replace all tasks of the service."""
        told = self._call("GET", f"/services/{name}")
        spec, version = told["Spec"], told["Version"]["Index"]
        spec["TaskTemplate"]["ForceUpdate"] = spec["TaskTemplate"].get("ForceUpdate", 0) + 1
        self._call("POST", f"/services/{name}/update?version={version}", spec)

    def remove(self, name: str) -> None:
        """Remove the service and wait until its containers are gone."""
        self._call("DELETE", f"/services/{name}")
        where = _listing(f"com.docker.swarm.service.name={name}", all_of_them=True)
        seconds_until(lambda: not self._call("GET", where), time.perf_counter())

    def _call(self, method: str, path: str, body: object = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        status, text = self.engine.call(method, path, sent, "application/json")
        assert status < 400, (method, path, text)
        return json.loads(text) if text.strip() else None


class Ours:
    """Moorage with one host on the same engine."""

    def __init__(self, place: Place) -> None:
        """Push the image, and define the task."""
        self.place = place
        self.caller: Caller = caller(place)
        uri = place.repository("bench")
        place.login()
        local = place.build("moorage-bench/sleep:1", Path(place.engine.home) / "image", DOCKERFILE)
        pushed = place.push(local, f"{uri}:1")
        told = json.loads(place.engine.call("GET", f"/images/{pushed}/json")[1])
        self.image = next(one for one in told["RepoDigests"] if one.startswith(f"{uri}@"))
        container = {"image": pushed, "command": COMMAND, "memory": MEMORY_MEBIBYTES}
        self.definition = place.register("bench", container)
        self.published = place.register(
            "published", {**container, "portMappings": [{"containerPort": PORT}]}
        )

    def create(self, name: str, count: int, *, published: bool = False) -> None:
        """Create a service; returns once it is accepted."""
        definition = self.published if published else self.definition
        self._call(
            "CreateService",
            {"serviceName": name, "taskDefinition": definition, "desiredCount": count},
        )

    def count(self, name: str) -> int:
        """How many of the service's tasks run."""
        found: int = self._described(name)["runningCount"]
        return found

    def running(self, name: str) -> dict[str, str]:
        """The tasks that run and shall run: task ARN to container id."""
        query = {"serviceName": name, "desiredStatus": "RUNNING"}
        arns = self._call("ListTasks", query)["taskArns"]
        tasks = self._call("DescribeTasks", {"tasks": arns})["tasks"] if arns else []
        return {
            task["taskArn"]: task["containers"][0]["runtimeId"]
            for task in tasks
            if task["lastStatus"] == "RUNNING"
        }

    def update(self, name: str) -> None:
        """Replace all tasks of the service, between 100 and 200 percent of them."""
        self._call("UpdateService", {"service": name, "forceNewDeployment": True})

    def remove(self, name: str) -> None:
        """Delete the service, wait until its tasks have ended, and remove what is left of them."""
        self._call("DeleteService", {"service": name, "force": True})
        seconds_until(lambda: self._described(name)["status"] == "INACTIVE", time.perf_counter())
        ours = _listing("com.amazonaws.ecs.task-arn", all_of_them=True)
        for row in json.loads(self.place.engine.call("GET", ours)[1]):
            self.place.engine.call("DELETE", f"/containers/{row['Id']}?force=1&v=1")

    def _described(self, name: str) -> Any:
        return self._call("DescribeServices", {"services": [name]})["services"][0]

    def _call(self, operation: str, members: object) -> Any:
        return answer(self.caller.call("ecs", operation, members))


def measure(rounds: int) -> None:
    """Run the benchmark and print its figures."""
    times: dict[str, list[float]] = defaultdict(list)
    with engine() as own, moorage(own, 1, "--settle-seconds", "0") as place:
        ours = Ours(place)
        peers: list[tuple[str, Peer]] = [("moorage", ours), ("swarm", Swarm(own, ours.image))]
        for _, peer in peers:
            _creation(peer, "warm", 1, published=True)
        for _ in range(rounds):
            peers.reverse()
            for size in SIZES:
                for what, published in ((f"{size}_port", True), (f"{size}", False)):
                    for name, peer in peers:
                        took = _creation(peer, f"s{what}", size, published=published)
                        times[f"{name}_{what}"].append(took)
            for name, peer in peers:
                times[f"{name}_update"].append(_update(peer, own))
            _start_healing([peer for _, peer in peers])
            for name, peer in peers:
                times[f"{name}_replace"] += _replacements(peer, own)
    rows = []
    figures: dict[str, object] = {"rounds": rounds, "settle_seconds": 0}
    for title, what, target in ROWS:
        ours_took, theirs = times[f"moorage_{what}"], times[f"swarm_{what}"]
        ratio = median(ours_took) / median(theirs)
        rows.append((title, spread(ours_took), spread(theirs), f"{ratio:.2f}", target))
        figures |= {
            f"moorage_{what}_seconds": median(ours_took),
            f"swarm_{what}_seconds": median(theirs),
        }
    columns = ("seconds, median [least..most]", "Moorage", "Docker Swarm", "ratio", "target")
    table("Services on one engine, in turns", columns, rows)
    record("swarm", figures)


def _creation(peer: Peer, name: str, size: int, *, published: bool = False) -> float:
    began = time.perf_counter()
    peer.create(name, size, published=published)
    took = seconds_until(lambda: peer.count(name) == size, began, LOOK_SECONDS)
    peer.remove(name)
    time.sleep(REST_SECONDS)  # both find an engine that has come to rest
    return took


def _update(peer: Peer, own: Engine) -> float:
    """How long after the call the engine runs ten new containers, and none of the old."""
    peer.create("update", UPDATED)
    seconds_until(lambda: peer.count("update") == UPDATED, time.perf_counter())
    time.sleep(REST_SECONDS)
    old = _on_engine(own)
    assert len(old) == UPDATED, old
    began = time.perf_counter()
    peer.update("update")

    def replaced() -> bool:
        now = _on_engine(own)
        return len(now) == UPDATED and now.isdisjoint(old)

    took = seconds_until(replaced, began, LOOK_SECONDS)
    peer.remove("update")
    time.sleep(REST_SECONDS)
    return took


def _on_engine(own: Engine) -> set[str]:
    """The containers that run."""
    return {row["Id"] for row in json.loads(own.call("GET", "/containers/json")[1])}


def _start_healing(peers: list[Peer]) -> None:
    for peer in peers:
        peer.create("healing", HEALING)
    for peer in peers:
        seconds_until(lambda peer=peer: peer.count("healing") == HEALING, time.perf_counter())
    time.sleep(OLD_ENOUGH_SECONDS)


def _replacements(peer: Peer, own: Engine) -> list[float]:
    found = []
    for victim, container in peer.running("healing").items():
        began = time.perf_counter()
        own.call("POST", f"/containers/{container}/kill")

        def healed(victim: str = victim) -> bool:
            now = peer.running("healing")
            return len(now) == HEALING and victim not in now

        found.append(seconds_until(healed, began))
        time.sleep(REST_SECONDS / 2)
    peer.remove("healing")
    return found


def _listing(label: str, *, all_of_them: bool) -> str:
    """The path of the engine's list of the containers with a label."""
    return f"/containers/json?all={int(all_of_them)}&{_filters(label=label)}"


def _filters(**wanted: str) -> str:
    """A query's `filters`, as Docker takes them."""
    return "filters=" + urllib.parse.quote(json.dumps({key: [one] for key, one in wanted.items()}))
