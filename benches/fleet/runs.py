"""What runs on a simulated host, and the reports of it: its engine is a dictionary."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from fleet.ground import Ground
from moorage.acs import messages as m
from moorage.acs.task_messages import Container
from moorage.acs.task_messages import Task as Order

REPORTS_AT_ONCE = 10
BACK_OFF_SECONDS_FIRST = 0.3
BACK_OFF_FACTOR = 1.3
BACK_OFF_SECONDS_MAX = 30.0
DIGEST = "sha256:" + "d" * 64
FIRST_PORT = 32768
OK, REFUSED = 200, 400
FOR_GOOD = b"InvalidParameterException"

# Calls one operation of the ECS API with members; the status and body of the answer.
Call = Callable[[str, object], Awaitable[tuple[int, bytes]]]


class Run:
    """One task here. `told` is the status that the server has acknowledged."""

    __slots__ = (
        "containers",
        "family",
        "ordered_to_stop",
        "reporting",
        "status",
        "told",
        "version",
    )

    def __init__(self, family: str, version: str, containers: tuple[Container, ...]) -> None:
        """Begin as ordered and not yet started."""
        self.family = family
        self.version = version
        self.containers = tuple((one.name, _ports(one)) for one in containers)
        self.status = "PENDING"
        self.told = "PENDING"
        self.ordered_to_stop = False
        self.reporting = False


class Runs:
    """All tasks of one host."""

    __slots__ = ("_active", "_call", "_ground", "_next_port", "_waiting", "cluster", "known")

    def __init__(self, ground: Ground, cluster: str, call: Call) -> None:
        """Run nothing yet; report by `call`."""
        self.known: dict[str, Run] = {}
        self._ground = ground
        self.cluster = cluster
        self._call = call
        self._waiting: deque[str] = deque()
        self._active = 0
        self._next_port = FIRST_PORT

    @property
    def running(self) -> list[str]:
        """The tasks whose containers run."""
        return [arn for arn, run in self.known.items() if run.status == "RUNNING"]

    def order(self, order: Order) -> None:
        """Do as the server says; an order that comes twice changes nothing."""
        if order.desired_status == "STOPPED":
            self.stop(order.arn)
        elif order.arn not in self.known:
            run = Run(order.family or "", order.version or "", order.containers or ())
            self.known[order.arn] = run
            self._ground.counters.begun += 1
            if self._ground.start_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self._ground.start_seconds, self._start, order.arn)
            else:
                self._start(order.arn)

    def stop(self, arn: str) -> None:
        """End a task; one that was never here has ended, too."""
        run = self.known.get(arn)
        if run is None:
            run = self.known[arn] = Run("", "", ())
        run.ordered_to_stop = True
        run.status = "STOPPED"
        self._report(arn, run)

    def beyond(self, listed: set[str]) -> tuple[m.TaskIdentifier, ...]:
        """What lives here and is not listed. What is listed and not here is told as STOPPED."""
        for arn in listed - self.known.keys():
            self.stop(arn)
        return tuple(
            m.TaskIdentifier(task_arn=arn, desired_status="STOPPED")
            for arn, run in self.known.items()
            if run.status != "STOPPED" and arn not in listed
        )

    def report_again(self) -> None:
        """The server is there again: say what it has not acknowledged."""
        for arn, run in self.known.items():
            self._report(arn, run)

    def _start(self, arn: str) -> None:
        run = self.known[arn]
        if run.status == "PENDING":
            run.status = "RUNNING"
            self._report(arn, run)

    def _report(self, arn: str, run: Run) -> None:
        if run.reporting or run.told == run.status:
            return
        run.reporting = True
        self._waiting.append(arn)
        if self._active < REPORTS_AT_ONCE:
            self._active += 1
            _spawn(self._report_all())

    async def _report_all(self) -> None:
        try:
            while self._waiting:
                await self._report_one(self._waiting.popleft())
        finally:
            self._active -= 1

    async def _report_one(self, arn: str) -> None:
        run, counters = self.known[arn], self._ground.counters
        wait_seconds = BACK_OFF_SECONDS_FIRST
        try:
            while run.told != run.status:
                saying = run.status
                try:
                    status, body = await self._call(
                        "SubmitTaskStateChange", self._submission(arn, run)
                    )
                except (OSError, TimeoutError):
                    status, body = 0, b""
                if status == OK:
                    run.told = saying
                    counters.reported += saying == "RUNNING"
                    continue
                counters.failed_calls += 1
                if status == REFUSED and FOR_GOOD in body:
                    counters.refused += 1
                    return
                await asyncio.sleep(wait_seconds)
                wait_seconds = min(BACK_OFF_SECONDS_MAX, wait_seconds * BACK_OFF_FACTOR)
        finally:
            run.reporting = False

    def _submission(self, arn: str, run: Run) -> dict[str, object]:
        """The members that our agent sends."""
        return {
            "cluster": self.cluster,
            "task": arn,
            "status": run.status,
            "containers": [
                self._container(arn, run, name, ports) for name, ports in run.containers
            ],
        }

    def _container(
        self, arn: str, run: Run, name: str, ports: tuple[tuple[int, int, str], ...]
    ) -> dict[str, object]:
        said: dict[str, object] = {
            "containerName": name,
            "status": run.status,
            "runtimeId": arn[-32:] * 2,
            "imageDigest": DIGEST,
        }
        if run.status == "STOPPED":
            said["exitCode"] = 143
        elif ports:
            said["networkBindings"] = [
                {
                    "bindIP": "0.0.0.0",
                    "containerPort": inside,
                    "hostPort": outside or self._port(),
                    "protocol": protocol,
                }
                for inside, outside, protocol in ports
            ]
        return said

    def _port(self) -> int:
        self._next_port += 1
        return self._next_port


_tasks: set[asyncio.Task[None]] = set()


def _spawn(work: Awaitable[None]) -> None:
    """Run this, and hold on to it until it is done."""
    task: asyncio.Task[None] = asyncio.ensure_future(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _ports(container: Container) -> tuple[tuple[int, int, str], ...]:
    return tuple(
        (one.container_port, one.host_port or 0, one.protocol or "tcp")
        for one in container.port_mappings or ()
        if one.container_port
    )
