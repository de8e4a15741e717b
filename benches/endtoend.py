"""From the first call until all run: accepted, placed, durable, dispatched, reported RUNNING.

A server of its own on a fresh data folder (SQLite on disk), and a fleet of simulated hosts in a
process of its own, over real websockets and signed calls. Services of two hundred tasks each fill
the hosts with twenty tasks a host; then RunTask, ten tasks a call, does it once more, while the
services settle. On a fresh server and fleet RunTask does it alone.

Server and fleet share two cores. So that it is told what a third would give, the kernel's count of
how long the server's threads waited for a core (schedstat) stands beside what they used.
"""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.process import Fleet, cpu_seconds
from stage import answer, record, table
from tests.clients.processes import Server, until
from tests.clients.signed import Caller

SIZES = (100, 300, 1000)
SERVICES = "services"
# Each on a server and a fleet of its own; the third comes upon the tasks that are there already.
STORIES = ((SERVICES, "RunTask upon these"), ("RunTask",))
TASKS_A_HOST = 20
TASKS_A_SERVICE = 200
TASKS_A_CALL = 10
CALLERS = 4
GOAL_PER_SECOND = 500
WAIT_SECONDS_MAX = 600.0
POLL_SECONDS = 0.05
PAGE = 100
PAGES_MAX = 1000
SERVICES_PAGE = 10
# The product's own defaults, but for connections: a host has two, and those by which it calls.
FLAGS = ("--settle-seconds", "40")
SETTINGS = "connections = 20000\n"


@dataclass(frozen=True)
class Spent:
    """What a stretch of work took: seconds by the clock, of CPU, and of waiting for a core."""

    clock: float
    server: float
    fleet: float
    waited: float

    def row(self, what: str, hosts: int, tasks: int) -> tuple[object, ...]:
        """One line of the table."""
        return (
            what,
            hosts,
            f"{tasks:,}",
            f"{tasks / self.clock:.0f}",
            f"{self.server / tasks * 1000:.2f}",
            f"{self.fleet / tasks * 1000:.2f}",
            f"{self.server / self.clock:.2f}",
            f"{self.fleet / self.clock:.2f}",
            f"{self.waited / self.clock * 100:.0f} %",
        )


class Stretch:
    """Reads the clocks of server and fleet at its beginning and at its end."""

    def __init__(self, server: int, fleet: int) -> None:
        """Begin to measure two processes, by their ids."""
        self._pids = server, fleet
        self._began = self._read()

    def _read(self) -> tuple[float, float, float, float]:
        server, fleet = self._pids
        return time.perf_counter(), cpu_seconds(server), cpu_seconds(fleet), _waited(server)

    def spent(self) -> Spent:
        """What it took until now."""
        return Spent(*(now - then for now, then in zip(self._read(), self._began, strict=True)))


def measure(_rounds: int) -> None:
    """Run the benchmark and print its figures."""
    rows: list[tuple[object, ...]] = []
    for hosts in SIZES:
        rows += _of_size(hosts)
    columns = (
        *("tasks by", "hosts", "tasks", "tasks/s", "server ms/task", "fleet ms/task"),
        *("server cores", "fleet cores", "server waits for a core"),
    )
    table(f"End to end, two cores; goal at 1,000 hosts: {GOAL_PER_SECOND}/s", columns, rows)


def _of_size(hosts: int) -> Iterator[tuple[object, ...]]:
    for story in STORIES:
        with tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder:
            server = prepared(Path(folder) / "data")
            server.start()
            try:
                with Fleet(server.address) as fleet:
                    yield from _of_story(_Scene(server, fleet), hosts, story)
            finally:
                server.stop()


def _of_story(scene: "_Scene", hosts: int, story: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    tasks = hosts * TASKS_A_HOST
    joined = scene.join(hosts)
    print(
        f"{hosts} hosts: joined and connected in {joined.clock:.1f} s, "
        f"{hosts / joined.clock:.0f} a second, {joined.server / hosts * 1000:.1f} ms "
        f"of the server's CPU each",
        flush=True,
    )
    for what in story:
        spent = scene.timed(tasks, scene.services if what == SERVICES else scene.calls)
        record(
            "endtoend",
            {
                "by": what,
                "hosts": hosts,
                "tasks": tasks,
                "joined_s": round(joined.clock, 2),
                "per_second": round(tasks / spent.clock, 1),
                "server_ms": round(spent.server / tasks * 1000, 3),
                "fleet_ms": round(spent.fleet / tasks * 1000, 3),
                "server_waited": round(spent.waited / spent.clock, 3),
            },
        )
        yield spent.row(what, hosts, tasks)


def prepared(data: Path) -> Server:
    """A server that is not started yet, on a fresh data folder."""
    data.mkdir()
    (data / "moorage.toml").write_text(SETTINGS)
    return Server(data, *FLAGS)


class _Scene:
    """A server and its fleet."""

    def __init__(self, server: Server, fleet: Fleet) -> None:
        self._server = server
        self._fleet = fleet
        self._services: list[str] = []
        self._running = 0
        container = {
            "name": "main",
            "image": "demo:1",
            "cpu": 32,
            "memory": 32,
            "portMappings": [{"containerPort": 80}],
        }
        self._ask("RegisterTaskDefinition", family="bench", containerDefinitions=[container])

    def join(self, hosts: int) -> Spent:
        """All join, register and connect."""
        token = self._server.token(uses=hosts)
        stretch = Stretch(self._server.pid, self._fleet.pid)
        self._fleet.join(token, hosts)
        self._fleet.connect()

        def connected() -> bool:
            now = self._fleet.counters()
            return now["acs"] == now["tcs"] == hosts and self._connected() == hosts

        until(connected, WAIT_SECONDS_MAX, f"{hosts} hosts are connected", self._fleet.counters)
        return stretch.spent()

    def timed(self, tasks: int, work: Callable[[int], None]) -> Spent:
        """From the first call until so many more run, by the fleet's count and by the API's."""
        wanted = self._running + tasks
        stretch = Stretch(self._server.pid, self._fleet.pid)
        work(tasks)
        until(
            lambda: self._fleet.counters()["reported"] >= wanted and self._counted() == wanted,
            WAIT_SECONDS_MAX,
            f"{wanted} tasks run",
            self._fleet.counters,
        )
        spent = stretch.spent()
        self._running = wanted
        told = self._fleet.counters()
        assert told["running"] == told["reported"] == wanted, f"a host was taken for lost: {told}"
        return spent

    def services(self, tasks: int) -> None:
        """Create services that want so many tasks in all."""
        for number in range(tasks // TASKS_A_SERVICE):
            name = f"bench-{number}"
            self._ask(
                "CreateService",
                serviceName=name,
                taskDefinition="bench",
                desiredCount=TASKS_A_SERVICE,
                placementStrategy=[
                    {"type": "spread", "field": "attribute:ecs.availability-zone"},
                    {"type": "spread", "field": "instanceId"},
                ],
            )
            self._services.append(name)

    def calls(self, tasks: int) -> None:
        """Run so many tasks by RunTask, on a few connections side by side."""
        numbers = iter(range(tasks // TASKS_A_CALL))
        failures: list[object] = []

        def work() -> None:
            call = Caller(self._server.address, self._server.key())
            for _ in numbers:
                told = answer(
                    call.call("ecs", "RunTask", {"taskDefinition": "bench", "count": TASKS_A_CALL})
                )
                failures.extend(told["failures"])
            call.close()

        threads = [threading.Thread(target=work) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, failures[:3]

    def _connected(self) -> int:
        """How many hosts are connected, as the API tells."""
        arns: list[str] = []
        members: dict[str, str] = {}
        for _ in range(PAGES_MAX):
            told = self._ask("ListContainerInstances", **members)
            arns += told["containerInstanceArns"]
            if not told.get("nextToken"):
                break
            members = {"nextToken": told["nextToken"]}
        parts = (arns[first : first + PAGE] for first in range(0, len(arns), PAGE))
        return sum(
            one["agentConnected"]
            for part in parts
            for one in self._ask("DescribeContainerInstances", containerInstances=part)[
                "containerInstances"
            ]
        )

    def _counted(self) -> int:
        """How many tasks run, as the API tells."""
        told = self._ask("DescribeClusters", clusters=["default"])
        return int(told["clusters"][0]["runningTasksCount"])

    def _ask(self, operation: str, **members: object) -> Any:
        call = Caller(self._server.address, self._server.key())  # one that rests may be closed
        try:
            return answer(call.call("ecs", operation, members))
        finally:
            call.close()


def _waited(pid: int) -> float:
    """For how many seconds the threads of a process were ready and had no core (proc(5))."""
    found = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        found += int(path.read_text().split()[1])
    return found / 1e9
