"""Hosts that come and go, on real hosts of their own (`tests/lab`), beside Docker Swarm on the same.

What is measured, each at the default durations: a host is cut off (cable pulled) and comes back;
agents are killed at random; the server is away; a fresh host joins. Swarm's managers and workers run
on the very same three engines, in turns with ours.

The server stays away for MOORAGE_BENCH_AWAY_SECONDS (default: ten minutes).
"""

import json
import os
import random
import threading
import time
from collections import Counter, defaultdict
from typing import Any

from stage import record, seconds_until, spread, table
from tests.lab.host import Host
from tests.lab.image import PROGRAM
from tests.lab.lab import Lab, lab

REPLICAS = 6
KILLS = 50
TASKS = 20
STOP_TIMEOUT_SECONDS = 2
AWAY_SECONDS = float(os.environ.get("MOORAGE_BENCH_AWAY_SECONDS", "600"))
WEIGHT_MIB = 20
# Both run a container that ignores SIGTERM, and both wait two seconds before they kill it.
STUBBORN = ["/bin/sleep", "86400"]
NANOSECONDS = 1_000_000_000
# A host that is lost in each round is not to count as flapping, nor is what runs to be moved onto it
# while it is counted what kills moved; all else is as it is by default.
SETTINGS = {
    "settle_seconds": 1,
    "reconnect_window_seconds": 5,
    "flapping_window_seconds": 0,
    "rebalance_moves_max": 0,
}
Times = dict[str, list[float]]


class Swarm:
    """Docker Swarm on the lab's engines: the first is its manager."""

    def __init__(self, place: Lab) -> None:
        """Make the swarm, and have the others join."""
        self.place = place
        first = place.hosts[0]
        self._call(first, "POST", "/swarm/init", {
            "ListenAddr": f"{first.address}:2377", "AdvertiseAddr": first.address})  # fmt: skip
        token = self._call(first, "GET", "/swarm")["JoinTokens"]["Worker"]
        for host in place.hosts[1:]:
            self._call(host, "POST", "/swarm/join", {
                "ListenAddr": f"{host.address}:2377", "AdvertiseAddr": host.address,
                "RemoteAddrs": [f"{first.address}:2377"], "JoinToken": token})  # fmt: skip
        for host in place.hosts:
            host.engine.busybox("bench/busybox:1")

    def start(self, name: str) -> None:
        """Start a service of REPLICAS on the hosts' own network."""
        container = {"Image": "bench/busybox:1", "Args": STUBBORN,
                     "StopGracePeriod": STOP_TIMEOUT_SECONDS * NANOSECONDS}  # fmt: skip
        networks = [{"Target": "host"}]
        self._call(self.place.hosts[0], "POST", "/services/create", {
            "Name": name, "TaskTemplate": {"ContainerSpec": container, "Networks": networks},
            "Mode": {"Replicated": {"Replicas": REPLICAS}}})  # fmt: skip
        seconds_until(lambda: sum(self.real(name).values()) == REPLICAS, time.perf_counter())

    def down(self, host: Host) -> bool:
        """Whether the manager takes a host for down."""
        nodes = self._call(self.place.hosts[0], "GET", "/nodes")
        found = [node for node in nodes if node["Status"]["Addr"] == host.address]
        return found[0]["Status"]["State"] == "down"

    def real(self, name: str) -> Counter[str]:
        """How many containers of a service truly run on each host."""
        filters = json.dumps({"label": [f"com.docker.swarm.service.name={name}"]})
        where = f"/containers/json?filters={filters.replace(' ', '')}"
        return Counter({host.name: len(host.engine.told(where)) for host in self.place.hosts})

    def end(self, name: str) -> None:
        """Remove the service."""
        self._call(self.place.hosts[0], "DELETE", f"/services/{name}")
        seconds_until(lambda: not sum(self.real(name).values()), time.perf_counter())

    def leave(self) -> None:
        """All leave."""
        for host in reversed(self.place.hosts):
            self._call(host, "POST", "/swarm/leave?force=1")

    def _call(self, host: Host, method: str, path: str, body: object = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        status, text = host.engine.call(method, path, sent, kind="application/json")
        assert status < 400, (method, path, text)
        return json.loads(text) if text.strip() else None


class Ours:
    """Moorage on the same engines."""

    def __init__(self, place: Lab) -> None:
        """Define the task."""
        self.place = place
        container = {"command": STUBBORN, "stopTimeout": STOP_TIMEOUT_SECONDS}
        image = place.images["shell"]
        self.definition = place.register("bench", {"image": image, **container})

    def start(self, name: str) -> None:
        """Start a service of REPLICAS."""
        self.place.ecs.create_service(
            serviceName=name, taskDefinition=self.definition, desiredCount=REPLICAS
        )
        self.place.steady(name)

    def down(self, host: Host) -> bool:
        """Whether the server takes a host for gone."""
        return not self.place.instance(host)["agentConnected"]

    def real(self, name: str) -> Counter[str]:
        """How many containers truly run on each host; only this service is there."""
        assert name
        return Counter({host.name: len(host.engine.tasks()) for host in self.place.hosts})

    def end(self, name: str) -> None:
        """Remove the service."""
        self.place.ecs.delete_service(service=name, force=True)
        seconds_until(lambda: not sum(self.real(name).values()), time.perf_counter())


def measure(rounds: int) -> None:
    """Run the benchmark and print its figures."""
    times: Times = defaultdict(list)
    figures: dict[str, object] = {"rounds": rounds}
    with lab(3, short=False, **SETTINGS) as place:
        ours, swarm = Ours(place), Swarm(place)
        for number in range(rounds):
            for name, peer in (("swarm", swarm), ("moorage", ours)):
                _cut(peer, place.hosts[2], f"cut{number}", name, times)
        swarm.leave()
        for _ in range(rounds):
            times["join"].append(_join(place))
        kills = _kills(place)
        stopped = _away(place)
    rows = [
        (what, spread(times[f"moorage_{key}"], 1), spread(times[f"swarm_{key}"], 1), target)
        for what, key, target in (
            ("cut off: detected", "detected", "<= 13"),
            ("cut off: all run elsewhere", "elsewhere", "<= 18"),
            ("link back: surplus gone", "surplus", f"<= {STOP_TIMEOUT_SECONDS} + 5"),
        )
    ]
    rows.append((f"fresh host, image of {WEIGHT_MIB} MB: first task runs",
                 spread(times["join"], 1), "", "<= 10"))  # fmt: skip
    columns = ("seconds, median [least..most]", "Moorage", "Docker Swarm", "goal")
    table("Hosts that come and go", columns, rows)
    table(f"{KILLS} kill -9 of agents with {TASKS} tasks", tuple(kills), [tuple(kills.values())])
    table(f"server away for {AWAY_SECONDS:g} s", ("containers stopped", "goal"), [(stopped, 0)])
    figures |= {key: [round(one, 2) for one in found] for key, found in times.items()}
    record("lab", figures | {"kills": kills, "away_seconds": AWAY_SECONDS, "stopped": stopped})


def _cut(peer: Swarm | Ours, host: Host, service: str, name: str, times: Times) -> None:
    peer.start(service)

    def others() -> bool:
        real = peer.real(service)
        return sum(count for where, count in real.items() if where != host.name) >= REPLICAS

    began = time.perf_counter()
    host.cut()
    times[f"{name}_detected"].append(seconds_until(lambda: peer.down(host), began))
    times[f"{name}_elsewhere"].append(seconds_until(others, began))
    began = time.perf_counter()
    host.heal()
    gone = seconds_until(lambda: sum(peer.real(service).values()) == REPLICAS, began)
    times[f"{name}_surplus"].append(gone)
    peer.end(service)


def _join(place: Lab) -> float:
    """A task waits for a host with an attribute; a machine with an idle engine becomes that host."""
    number = len(place.hosts)
    image = place.images.get("heavy") or place.push_image("heavy", WEIGHT_MIB)
    place.images["heavy"] = image
    definition = place.register("first", {"image": image})
    place.ecs.create_service(
        serviceName=f"first{number}",
        taskDefinition=definition,
        desiredCount=1,
        placementConstraints=[{"type": "memberOf", "expression": f"attribute:fresh == {number}"}],
    )
    host = place.new_host()
    host.engine.await_answer()
    token = place.server.token()
    began = time.perf_counter()
    host.start_agent(place.server.url, token, "--attribute", f"fresh={number}")
    took = seconds_until(lambda: place.running(f"first{number}") and host.engine.tasks(), began)
    place.ecs.delete_service(service=f"first{number}", force=True)
    seconds_until(lambda: not host.engine.tasks(), time.perf_counter())
    arn = place.instance(host)["containerInstanceArn"]
    place.ecs.deregister_container_instance(containerInstance=arn, force=True)
    place.remove(host)
    return took


def _kills(place: Lab) -> dict[str, int]:
    """Kill agents at random moments, and count what became of the containers."""
    definition = place.register(
        "many", {"image": place.images["shell"], "command": ["/bin/sh", "-c", PROGRAM]}
    )
    place.ecs.create_service(serviceName="many", taskDefinition=definition, desiredCount=TASKS)
    place.steady("many")
    before = place.containers()
    tasks = {task["taskArn"] for task in place.running("many")}
    chance = random.Random(time.time_ns())
    doubled = 0
    for number in range(KILLS):
        host = place.hosts[number % len(place.hosts)]
        host.kill("agent")
        threading.Event().wait(chance.uniform(0, 1))
        host.start_agent(place.server.url)
        threading.Event().wait(chance.uniform(0, 2))
        arns = Counter(arn for one in place.hosts for arn in one.engine.tasks().values())
        doubled += sum(count > 1 for count in arns.values())
    place.await_connected(3)
    threading.Event().wait(5)
    after = place.containers()
    known = {task["taskArn"] for task in place.running("many")}
    orphaned = [x for host in place.hosts for x, arn in host.engine.tasks().items()
                if arn not in known]  # fmt: skip
    restarted = sum(after.get(one) != at for one, at in before.items())
    assert known == tasks
    return {"restarted": restarted, "doubled": doubled, "orphaned": len(orphaned)}


def _away(place: Lab) -> int:
    """Kill the server, start it after a while, and count the containers that are not the same."""
    before = place.containers()
    place.server.kill()
    began = time.perf_counter()
    while time.perf_counter() - began < AWAY_SECONDS:
        time.sleep(1)
    stopped = before.keys() - place.containers().keys()
    place.server.start()
    place.await_connected(3)
    threading.Event().wait(10)
    after = place.containers()
    return len(stopped | {one for one, at in before.items() if after.get(one) != at})
