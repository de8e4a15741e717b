"""A host for the engine to drive: containers that run and end, a server that books reports.

Instructions are kept until a test has them performed, in any order, once or twice, with their
completion delivered, kept back, doubled or lost. What must never happen is asserted where it
would happen: a container made twice, a run begun twice, a word after STOPPED.
"""

from dataclasses import dataclass, field

import msgspec

from moorage.acs.messages import AckRequest, TaskIdentifier, TaskStopVerificationMessage
from moorage.acs.task_messages import Task
from moorage.agent.engine import events as e
from moorage.agent.engine import instructions as i
from moorage.agent.engine.labels import LABEL_ATTEMPT, LABEL_CONTAINER, LABEL_TASK_ARN
from moorage.agent.engine.machine import Engine
from moorage.agent.engine.post_mortems import GATHER_DEADLINE
from moorage.agent.records.container import ContainerStatus, Exit, ObservedContainer, PortBinding
from moorage.agent.records.host import Host, HostMemory
from moorage.agent.records.post_mortem import PostMortem
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Instant, from_epoch, later, seconds

START = from_epoch(1_800_000_000)
HOST = Host(
    name="h1",
    cluster="lab",
    container_instance_arn="arn:aws:ecs:us-east-1:123456789012:container-instance/lab/i1",
    publish_address="127.0.0.2",
    cgroup_root="/moorage",
)
RANK = {"PENDING": 0, "RUNNING": 1, "STOPPED": 2}
MOVES_MAX = 20_000
SHORTEST = seconds(0.001)


def arn(number: int) -> str:
    return f"arn:aws:ecs:us-east-1:123456789012:task/lab/{number:012x}{number:020x}"


@dataclass
class Real:
    """A container that exists."""

    runtime_id: str
    name: str
    labels: dict[str, str]
    running: bool = False
    started_at: Instant | None = None
    exit: Exit | None = None
    runs: int = 0
    host_port: int = 0


@dataclass
class World:
    """One host, its engine, and the books of the server."""

    now: Instant = START
    host: Host = HOST
    engine: Engine = field(init=False)
    containers: dict[str, Real] = field(default_factory=dict)
    images: set[str] = field(default_factory=set)
    resources: set[str] = field(default_factory=set)
    pending: list[i.Instruction] = field(default_factory=list)
    held: list[e.Event] = field(default_factory=list)
    disk: dict[str, bytes] = field(default_factory=dict)
    memory: bytes | None = None
    timer: Instant | None = None
    made: dict[tuple[str, int], int] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    restartable: set[str] = field(default_factory=set)
    booked: dict[str, str] = field(default_factory=dict)
    stops_booked: dict[str, int] = field(default_factory=dict)
    acked: set[str] = field(default_factory=set)
    asked_to_stop: list[TaskStopVerificationMessage] = field(default_factory=list)
    post_mortems: list[PostMortem] = field(default_factory=list)
    reachable: bool = True
    serial: int = 0

    def __post_init__(self) -> None:
        self.begin()

    # --- the process ---

    def begin(self) -> list[i.Instruction]:
        """Start the agent's process from what is on the disk."""
        tasks = tuple(msgspec.json.decode(b, type=TaskRecord) for b in self.disk.values())
        memory = None if self.memory is None else msgspec.json.decode(self.memory, type=HostMemory)
        self.engine = Engine(self.host, tasks, memory, moves_max=MOVES_MAX)
        self.pending.clear()
        self.held.clear()
        return self.feed(e.AgentStarted())

    def feed(self, event: e.Event) -> list[i.Instruction]:
        """Hand one event to the engine; instructions wait to be performed, saves are done."""
        self.now = later(self.now, SHORTEST)
        answer = self.engine.handle(event, self.now)
        assert sum(isinstance(one, i.SaveCheckpoint) for one in answer) <= 1
        for one in answer:
            self.accept(one)
        self.check()
        return answer

    def accept(self, one: i.Instruction) -> None:
        match one:
            case i.SaveCheckpoint():
                self.disk |= {task.arn: msgspec.json.encode(task) for task in one.tasks}
                for gone in one.forgotten:
                    self.disk.pop(gone, None)
                if one.memory is not None:
                    self.memory = msgspec.json.encode(one.memory)
            case i.SetTimer():
                self.timer = one.at
            case i.SendMessage(message=AckRequest() as ack):
                self.acked.add(ack.message_id)
            case i.SendMessage(message=TaskStopVerificationMessage() as asked):
                self.asked_to_stop.append(asked)
            case i.StartContainer() | i.StopContainer() | i.RemoveContainer():
                assert one.runtime_id not in self.removed, f"{one} for a removed container"
                self.pending.append(one)
            case i.SendMessage() | i.PublishHealth() | i.PublishInstanceStatus():
                pass
            case _:
                self.pending.append(one)

    def check(self) -> None:
        """What holds after each event."""
        state = self.engine.state
        out = [task for task in state.tasks.values() if task.submitting is not None]
        assert {task.arn for task in out} == state.out
        assert len(out) <= 10
        for task in state.tasks.values():
            names = [record.name for record in task.containers]
            assert len(set(names)) == len(names)
            if task.settled:
                assert task.desired == "STOPPED"
            for record in task.containers:
                live = record.status in {
                    ContainerStatus.CREATED,
                    ContainerStatus.STARTING,
                    ContainerStatus.RUNNING,
                    ContainerStatus.STOPPING,
                }
                assert record.runtime_id is not None or not live
        assert state.timer is None or state.timer > self.now
        if state.tasks and state.lost_since is None:
            assert state.timer is not None

    # --- time ---

    def tick(self, duration: float) -> list[i.Instruction]:
        self.now = later(self.now, seconds(duration))
        return self.feed(e.Tick())

    # --- performing ---

    def perform(self, one: i.Instruction, *, fails: bool = False) -> list[e.Event]:
        """Do it; the completions it has."""
        method = PERFORM.get(type(one))
        return [] if method is None else method(self, one, fails)

    def take(self, index: int = 0) -> i.Instruction:
        return self.pending.pop(index % len(self.pending))

    def run(self, limit: int = 500) -> None:
        """Perform everything there is, in order, as a sound host does."""
        for _ in range(limit):
            if self.held:
                self.feed(self.held.pop(0))
            elif self.pending and self.reachable:
                for event in self.perform(self.take()):
                    self.feed(event)
            else:
                return
        raise AssertionError(f"never at rest: {self.pending[:5]}")

    def real(self, runtime_id: str) -> Real | None:
        return next((c for c in self.containers.values() if c.runtime_id == runtime_id), None)

    def of(self, task_arn: str, container: str) -> Real | None:
        return next(
            (
                c
                for c in self.containers.values()
                if c.labels[LABEL_TASK_ARN] == task_arn and c.labels[LABEL_CONTAINER] == container
            ),
            None,
        )

    def end(self, real: Real, exit_code: int, *, out_of_memory: bool = False) -> e.Event:
        """A process ends by itself."""
        real.running = False
        real.exit = Exit(
            exit_code=exit_code,
            finished_at=self.now,
            started_at=real.started_at,
            out_of_memory=out_of_memory,
        )
        return e.ContainerExited(
            task_arn=real.labels[LABEL_TASK_ARN],
            container=real.labels[LABEL_CONTAINER],
            runtime_id=real.runtime_id,
            exit=real.exit,
        )

    def observed(self) -> tuple[ObservedContainer, ...]:
        return tuple(
            ObservedContainer(
                runtime_id=c.runtime_id,
                name=c.name,
                task_arn=c.labels[LABEL_TASK_ARN],
                container=c.labels[LABEL_CONTAINER],
                running=c.running,
                labels=c.labels,
                exit=None if c.running else c.exit,
                started_at=c.started_at,
                bindings=self.bindings(c),
            )
            for c in self.containers.values()
        )

    def bindings(self, real: Real) -> tuple[PortBinding, ...]:
        if not real.host_port:
            return ()
        return tuple(
            PortBinding(bind_ip=ip, container_port=80, host_port=real.host_port)
            for ip in ("::", "127.0.0.2")
        )

    def identifiers(self, statuses: dict[str, str]) -> tuple[TaskIdentifier, ...]:
        return tuple(TaskIdentifier(task_arn=a, desired_status=s) for a, s in statuses.items())


def _pull(world: World, one: i.PullImage, fails: bool) -> list[e.Event]:
    if fails:
        return [e.PullFailed(image=one.image, reason="no such host", transient=True)]
    had = one.image in world.images
    world.images.add(one.image)
    return [
        e.PullFinished(
            image=one.image,
            reference=one.image,
            started_at=world.now,
            finished_at=world.now,
            pulled=not had,
            digest="sha256:" + "d" * 64,
        )
    ]


def _create(world: World, one: i.CreateContainer, fails: bool) -> list[e.Event]:
    names = {"task_arn": one.task_arn, "container": one.container, "attempt": one.attempt}
    twin = world.containers.get(one.spec.name)
    if twin is not None and twin.labels[LABEL_ATTEMPT] == str(one.attempt):
        return [e.ContainerCreated(**names, runtime_id=twin.runtime_id)]
    if one.spec.image not in world.images:
        return [e.CreateFailed(**names, reason="No such image", image_missing=True)]
    if fails:
        return [e.CreateFailed(**names, reason="bad", transient=one.attempt % 2 == 0)]
    if twin is not None:
        assert twin.runs == 0, "a container that has run is not replaced"
        world.removed.add(twin.runtime_id)
        del world.containers[one.spec.name]
    key = (one.spec.name, one.attempt)
    world.made[key] = world.made.get(key, 0) + 1
    assert world.made[key] == 1, f"{key} was made twice"
    world.serial += 1
    real = Real(runtime_id=f"c{world.serial}", name=one.spec.name, labels=one.spec.labels)
    world.containers[one.spec.name] = real
    return [e.ContainerCreated(**names, runtime_id=real.runtime_id)]


def _start(world: World, one: i.StartContainer, fails: bool) -> list[e.Event]:
    names = {"task_arn": one.task_arn, "container": one.container, "attempt": one.attempt}
    real = world.real(one.runtime_id)
    if real is None:
        return [e.StartFailed(**names, reason="gone", missing=True)]
    if fails and not real.running:
        return [e.StartFailed(**names, reason="port is already allocated", port_clash=True)]
    if not real.running:
        again = one.task_arn in world.restartable
        assert real.runs == 0 or again, f"{real.name} was run twice"
        real.runs += 1
        real.running = True
        real.exit = None
        real.started_at = world.now
        real.host_port = 32768 + world.serial + real.runs
    assert real.started_at is not None
    return [
        e.ContainerStarted(
            **names,
            runtime_id=real.runtime_id,
            started_at=real.started_at,
            bindings=world.bindings(real),
        )
    ]


def _stop(world: World, one: i.StopContainer, fails: bool) -> list[e.Event]:
    names = {"task_arn": one.task_arn, "container": one.container, "attempt": one.attempt}
    real = world.real(one.runtime_id)
    if fails:
        return [e.StopFailed(**names, reason="it will not")]
    if real is None:
        return [e.StopFinished(**names)]
    exited = [world.end(real, 143)] if real.running else []
    return [*exited, e.StopFinished(**names, exit=real.exit)]


def _remove(world: World, one: i.RemoveContainer, fails: bool) -> list[e.Event]:
    names = {"task_arn": one.task_arn, "container": one.container, "attempt": one.attempt}
    if fails:
        return [e.RemoveFailed(**names, reason="device busy")]
    real = world.real(one.runtime_id)
    if real is not None:
        del world.containers[real.name]
    return [e.ContainerRemoved(**names)]


def _observe(world: World, one: i.ObserveContainers, fails: bool) -> list[e.Event]:
    del fails
    return [e.ContainersObserved(look=one.look, containers=world.observed())]


def _make(world: World, one: i.CreateVolume | i.CreateCgroup, fails: bool) -> list[e.Event]:
    if fails:
        return [e.ResourceFailed(task_arn=one.task_arn, name=one.name, reason="no space")]
    world.resources.add(one.name)
    return [e.ResourceCreated(task_arn=one.task_arn, name=one.name)]


def _unmake(world: World, one: i.RemoveVolume | i.RemoveCgroup, fails: bool) -> list[e.Event]:
    if fails:
        return [e.ResourceRemoveFailed(task_arn=one.task_arn, name=one.name)]
    world.resources.discard(one.name)
    return [e.ResourceRemoved(task_arn=one.task_arn, name=one.name)]


def _gather(world: World, one: i.GatherPostMortem, fails: bool) -> list[e.Event]:
    del fails
    told = one.post_mortem
    gone = any(c.runtime_id in world.removed for c in told.containers)
    assert not gone or later(told.at, GATHER_DEADLINE) <= world.now, "gone before its lines"
    world.post_mortems.append(told)
    return [e.PostMortemGathered(task_arn=told.task, ended=told.ended, healings=told.healings)]


def _submit(world: World, one: i.SubmitTaskStateChange, fails: bool) -> list[e.Event]:
    del fails
    task, status = one.report.task, one.report.status
    before = world.booked.get(task, "PENDING")
    assert RANK[status] >= RANK[before], f"{task} went back from {before} to {status}"
    if status == "STOPPED":
        world.stops_booked[task] = world.stops_booked.get(task, 0) + 1
        assert all(c.status == "STOPPED" for c in one.report.containers)
    world.booked[task] = status
    return [e.ReportAcknowledged(task_arn=task, sequence=one.sequence)]


PERFORM = {
    i.PullImage: _pull,
    i.CreateContainer: _create,
    i.StartContainer: _start,
    i.StopContainer: _stop,
    i.RemoveContainer: _remove,
    i.ObserveContainers: _observe,
    i.CreateVolume: _make,
    i.CreateCgroup: _make,
    i.RemoveVolume: _unmake,
    i.RemoveCgroup: _unmake,
    i.SubmitTaskStateChange: _submit,
    i.GatherPostMortem: _gather,
}


def payload(*tasks: Task, message_id: str = "m1", seq_num: int = 1) -> e.PayloadReceived:
    return e.PayloadReceived(
        message_id=message_id,
        cluster_arn="arn:cluster",
        container_instance_arn=HOST.container_instance_arn,
        tasks=tasks,
        seq_num=seq_num,
    )
