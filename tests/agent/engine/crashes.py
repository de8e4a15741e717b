"""A host whose agent may be killed between any two of its steps: for the laws of test_crashes.py.

The machine is the real one, and so are its hands, on a virtual engine. What the process knew dies
with it; what it had saved, and what the engine had done, stays. The server keeps books: it sends
what was not acknowledged again, compares manifests, confirms what it wants stopped.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from moorage.acs.messages import AckRequest, TaskIdentifier, TaskStopVerificationMessage
from moorage.acs.task_messages import Task
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.labels import LABEL_ATTEMPT
from moorage.agent.engine.machine import Engine
from moorage.agent.performer import Performer, Tools
from moorage.agent.pulling import Puller
from moorage.agent.records.host import HostMemory
from moorage.agent.records.report import TaskReport
from moorage.agent.records.task import TaskRecord
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.memory_engine import MemoryEngine, Script, Scripts
from moorage.agent.runtime.port import ContainerSpec, Created, ImageFacts
from moorage.agent.vigil import Vigil
from moorage.ground.clock import ManualClock
from moorage.ground.instant import Instant, seconds
from tests.agent.engine.world import HOST, payload

STEPS_MAX = 2_000
STEP = seconds(0.001)


class Killed(Exception):  # noqa: N818 - a fate, not a failure
    """SIGKILL."""


class CountingEngine(MemoryEngine):
    """Counts what was made, by name and attempt."""

    def __init__(self, scripts: Scripts) -> None:
        super().__init__(scripts)
        self.made: Counter[tuple[str, str]] = Counter()

    def create(self, spec: ContainerSpec, now: Instant) -> Created:
        created = super().create(spec, now)
        if created.twin is None:
            self.made[spec.name, spec.labels[LABEL_ATTEMPT]] += 1
        return created


class Hierarchy:
    """Cgroups in memory."""

    def __init__(self) -> None:
        self.there: set[str] = set()

    async def create(self, name: str, cpu: float | None, memory_mebibytes: int | None) -> None:
        del cpu, memory_mebibytes
        self.there.add(name)

    async def remove(self, name: str) -> None:
        self.there.discard(name)

    def parent(self, name: str) -> str:
        return name


class FreeSlots:
    """As many starts at once as anybody wants."""

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[bool]:
        yield True


@dataclass
class Books:
    """What the server knows and wants."""

    wanted: Task
    message_id: str = "run"
    acked: set[str] = field(default_factory=set)
    reports: list[TaskReport] = field(default_factory=list)
    timeline: int = 0

    def stop(self) -> None:
        self.wanted = Task(arn=self.wanted.arn, desired_status="STOPPED")
        self.message_id = "stop"

    def status(self) -> str:
        return self.reports[-1].status if self.reports else "PENDING"


class Plagued:
    """One host. `kills` are the steps, counted from the beginning, at which the agent dies.

    `eager`: what is to be done on the host is done before the records of it are saved, else after.
    `durable_only`: of the records only those survive that were forced to the disk.
    """

    def __init__(
        self, task: Task, kills: tuple[int, ...] = (), *, eager: bool, durable_only: bool
    ) -> None:
        self.kills = set(kills)
        self.eager = eager
        self.durable_only = durable_only
        self.clock = ManualClock()
        self.virtual = CountingEngine(lambda _spec: Script(health=((seconds(1), "healthy"),)))
        self.runtime = MemoryRuntime(self.virtual, self.clock)
        for reference in ("r/db:1", task.containers[-1].image or "" if task.containers else ""):
            digests = (reference,) if "@" in reference else ()
            names = () if digests else (reference,)
            facts = ImageFacts(id=f"sha256:{reference}", references=names, digests=digests)
            self.runtime.registry[reference] = facts
        self.cgroups = Hierarchy()
        self.books = Books(task)
        self.steps = 0
        self.deaths = 0
        self.saved: dict[str, bytes] = {}
        self.durable: dict[str, bytes] = {}
        self.lives = asyncio.Runner()

    def close(self) -> None:
        self.lives.run(self.runtime.aclose())
        self.lives.close()

    def live(self, until: str) -> None:
        """Let the agent live, die and be started again until the server has booked `until`."""
        for _ in range(len(self.kills) + 1):
            try:
                Life(self).live(until)
            except Killed:
                self.deaths += 1
                if self.durable_only:
                    self.saved = dict(self.durable)
            else:
                return

    def border(self) -> None:
        """Between two steps of the agent."""
        self.steps += 1
        self.clock.advance(STEP)
        assert self.steps < STEPS_MAX, "never at rest"
        if self.steps in self.kills:
            raise Killed

    def keep(self, one: i.SaveCheckpoint) -> None:
        changed = {task.arn: msgspec.json.encode(task) for task in one.tasks}
        if one.memory is not None:
            changed["host"] = msgspec.json.encode(one.memory)
        for disk in (self.saved, self.durable) if one.durable else (self.saved,):
            disk.update(changed)
            for arn in one.forgotten:
                disk.pop(arn, None)


class Life:
    """One process of the agent."""

    def __init__(self, host: Plagued) -> None:
        self.host = host
        records = {name: b for name, b in host.saved.items() if name != "host"}
        tasks = tuple(msgspec.json.decode(b, type=TaskRecord) for b in records.values())
        memory = msgspec.json.decode(host.saved.get("host", b"{}"), type=HostMemory)
        self.engine = Engine(HOST, tasks, memory)
        self.waiting: list[e.Event | i.Instruction] = [e.AgentStarted()]
        self.timer: Instant | None = None
        tools = Tools(
            runtime=host.runtime,
            images=host.runtime,
            puller=Puller(host.runtime, host.clock, None, ("1", "us-east-1")),
            slots=FreeSlots(),
            vigil=Vigil(host.runtime, self.waiting.append),
            clock=host.clock,
            cgroups=host.cgroups,
        )
        self.performer = Performer(tools, HOST.name)

    def live(self, until: str) -> None:
        """Live until nothing is left to do and the server has booked `until`."""
        self.connect()
        while self.waiting or self.host.books.status() != until:
            self.host.border()
            if not self.waiting:
                self.wait()
                continue
            following = self.waiting.pop(0)
            if isinstance(following, i.Instruction):
                self.do(following)
            else:
                self.take(following)

    def take(self, event: e.Event) -> None:
        for one in self.engine.handle(event, self.host.clock.now()):
            self.host.border()
            self.begin(one)

    def begin(self, one: i.Instruction) -> None:
        if isinstance(one, i.SaveCheckpoint):
            self.host.keep(one)
        elif isinstance(one, i.SetTimer):
            self.timer = one.at
        elif isinstance(one, i.SendMessage):
            self.said(one)
        elif isinstance(one, i.SubmitTaskStateChange) or not self.host.eager:
            self.waiting.append(one)
        else:
            self.do(one)

    def do(self, one: i.Instruction) -> None:
        """Perform it; the news of it may die on the way."""
        if isinstance(one, i.SubmitTaskStateChange):
            self.host.books.reports.append(one.report)
            event: e.Event | None = e.ReportAcknowledged(
                task_arn=one.report.task, sequence=one.sequence
            )
        elif type(one) in self.performer.handlers:
            event = self.host.lives.run(self.performer.perform(one))
        else:
            return
        self.host.border()
        if event is not None:
            self.waiting.append(event)

    def wait(self) -> None:
        """Nothing happens before the timer."""
        assert self.timer is not None
        clock = self.host.clock
        clock.advance(max(seconds(0), seconds((self.timer - clock.now()) / 1_000_000)))
        self.host.lives.run(self.host.runtime.settle())
        self.waiting.append(e.Tick())
        for row in self.host.virtual.containers.values():
            if row.health.status == "healthy":
                self.tell_health(row.id)

    def tell_health(self, container: str) -> None:
        self.waiting.append(e.EventsMissed())
        del container

    # --- the server ---

    def connect(self) -> None:
        books = self.host.books
        books.timeline += 1
        if books.message_id not in books.acked:
            self.waiting.append(payload(books.wanted, message_id=books.message_id))
        if books.status() == "STOPPED":
            return
        listed = {books.wanted.arn} if books.wanted.desired_status == "RUNNING" else set()
        known = books.message_id in books.acked or books.message_id == "stop"
        books.timeline += 1
        self.waiting.append(
            e.ManifestReceived(
                message_id=f"manifest{books.timeline}",
                cluster_arn="c",
                container_instance_arn="i",
                timeline=books.timeline,
                tasks=tuple(
                    TaskIdentifier(task_arn=arn, desired_status="RUNNING")
                    for arn in (listed if known else ())
                ),
            )
        )

    def said(self, one: i.SendMessage) -> None:
        books, message = self.host.books, one.message
        if isinstance(message, AckRequest):
            books.acked.add(message.message_id or "")
        elif isinstance(message, TaskStopVerificationMessage):
            unwanted = books.wanted.desired_status == "STOPPED"
            arns = tuple(c.task_arn or "" for c in message.stop_candidates or () if unwanted)
            if arns:
                confirmed = e.StopConfirmed(message_id=message.message_id or "", task_arns=arns)
                self.waiting.append(confirmed)
