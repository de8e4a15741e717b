"""How a container's record changes when a fact about it arrives; no instruction is given here.

Each function takes the task, the record and the fact, and returns the record as it then is;
`advance.py` decides what follows.
"""

from moorage.acs.task_messages import Container
from moorage.agent.engine.dependency import definition
from moorage.agent.engine.events import ContainerStarted, CreateFailed, StartFailed
from moorage.agent.engine.specification import dynamic_ports, host_network, stop_timeout_seconds
from moorage.agent.engine.transitions import ENDED, S
from moorage.agent.engine.turn import Turn, back_off
from moorage.agent.records.container import ContainerRecord, Exit, Health, PortBinding
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Instant, between, seconds
from moorage.ground.record import evolve

KILLED_EXIT_CODE = 137
UNCLEAR_START = "DockerTimeoutError: Could not transition to started"  # as Amazon's agent says it
# Docker's clock and ours differ by the time a request takes.
SIGTERM_TOLERANCE = seconds(0.5)
CREATE_TRIES_MAX = 5
START_TRIES_MAX = 3  # of a start that may have happened
PORT_CLASH_TRIES_MAX = 5
PAST_STARTS_MAX = 8
REASON_LENGTH_MAX = 1024  # ECS cuts reasons here
RESTART_ATTEMPT_PERIOD_SECONDS_DEFAULT = 300

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
GONE = "CannotInspectContainerError: the container is gone from the container engine"
# Neither is the container's own fault: the control plane counts both against nobody.
ENGINE_LOST = "EngineLost: the container ended while the container engine of its host was away"
GHOST = (
    "EngineError: the container engine says that the container runs, but its process is gone; "
    "its exit code is not known"
)


def stopped(
    record: ContainerRecord, at: Instant, reason: str | None = None, exit_code: int | None = None
) -> ContainerRecord:
    """The record of a container that runs no more, and will not again."""
    return evolve(
        record,
        status=S.STOPPED,
        deadline=None,
        retry_at=None,
        failures=0,
        held=False,
        finished_at=at,
        exit_code=record.exit_code if exit_code is None else exit_code,
        reason=record.reason if reason is None else reason[:REASON_LENGTH_MAX],
    )


def of_this_run(record: ContainerRecord, exit_: Exit) -> bool:
    """Whether `exit_` is news of the run that the record is in, not of one before it."""
    if record.status in ENDED:
        return False
    if exit_.started_at is None:
        return record.status in {S.STARTING, S.RUNNING, S.STOPPING}
    return exit_.started_at not in record.past_starts


def ended(task: TaskRecord, record: ContainerRecord, exit_: Exit) -> ContainerRecord:
    """The record after its run has ended: stopped, or about to be started again in place."""
    container = definition(task.task, record.name)
    started_at = record.started_at if exit_.started_at is None else exit_.started_at
    record = evolve(record, started_at=started_at)
    if _restarts(task, container, record, exit_):
        past = (*record.past_starts, *(() if started_at is None else (started_at,)))
        return evolve(
            record,
            status=S.CREATED,
            deadline=None,
            restarts=record.restarts + 1,
            past_starts=past[-PAST_STARTS_MAX:],
            exit_code=exit_.exit_code,
            health=Health.UNKNOWN,
            health_since=None,
            health_message=None,
        )
    over = stopped(
        record, exit_.finished_at, _end_reason(container, record, exit_), exit_.exit_code
    )
    return evolve(over, out_of_memory=exit_.out_of_memory, ghost=exit_.cause == "ghost")


def _restarts(task: TaskRecord, container: Container, record: ContainerRecord, exit_: Exit) -> bool:
    """ECS, ContainerRestartPolicy: in place, not after an ignored code, nor after a short run.

    What the engine ended is started again however it ended: that was no failed attempt. A ghost
    cannot be started: the engine holds that it runs.
    """
    policy = container.restart_policy
    if policy is None or not policy.enabled or task.desired == "STOPPED":
        return False
    if exit_.cause != "own":
        return exit_.cause == "engine" and record.started_at is not None
    if exit_.exit_code in (policy.ignored_exit_codes or ()) or record.started_at is None:
        return False
    period = policy.restart_attempt_period or RESTART_ATTEMPT_PERIOD_SECONDS_DEFAULT
    return between(record.started_at, exit_.finished_at) >= seconds(period)


def _end_reason(container: Container, record: ContainerRecord, exit_: Exit) -> str | None:
    if exit_.out_of_memory:
        return OUT_OF_MEMORY
    if exit_.cause != "own":
        return ENGINE_LOST if exit_.cause == "engine" else GHOST
    asked, timeout = record.stop_asked_at, stop_timeout_seconds(container)
    if asked is None or exit_.exit_code != KILLED_EXIT_CODE:
        return None
    if between(asked, exit_.finished_at) < seconds(timeout) - SIGTERM_TOLERANCE:
        return None
    return f"The container did not heed SIGTERM and was killed after {timeout} seconds"


def started(task: TaskRecord, record: ContainerRecord, event: ContainerStarted) -> ContainerRecord:
    """The record of a container that runs."""
    return running(task, record, event.started_at, event.bindings, event.runtime_id)


def running(
    task: TaskRecord,
    record: ContainerRecord,
    started_at: Instant | None,
    bindings: tuple[PortBinding, ...],
    runtime_id: str,
) -> ContainerRecord:
    """The record of a container that was seen to run since `started_at`."""
    container = definition(task.task, record.name)
    return evolve(
        record,
        status=S.RUNNING,
        deadline=None,
        retry_at=None,
        failures=0,
        held=False,
        exit_code=None,
        runtime_id=runtime_id,
        started_at=started_at,
        bindings=shown_once(_host_bindings(container))
        if host_network(task.task, container)
        else shown_once(bindings),
    )


def _host_bindings(container: Container) -> tuple[PortBinding, ...]:
    """In host mode a port of the container is the same port of the host."""
    return tuple(
        PortBinding(
            bind_ip="0.0.0.0",  # noqa: S104 - what ECS shows
            container_port=mapping.container_port,
            host_port=mapping.container_port,
            protocol=mapping.protocol or "tcp",
        )
        for mapping in container.port_mappings or ()
        if mapping.container_port is not None
    )


def shown_once(bindings: tuple[PortBinding, ...]) -> tuple[PortBinding, ...]:
    """The bindings with the IPv6 twin of an IPv4 one left out, in the order of their ports."""
    seen: dict[tuple[int, int, str], PortBinding] = {}
    for binding in sorted(bindings, key=lambda b: (":" in b.bind_ip, b.container_port)):
        key = (binding.container_port, binding.host_port, binding.protocol)
        seen.setdefault(key, binding)
    return tuple(sorted(seen.values(), key=lambda b: (b.container_port, b.protocol, b.host_port)))


def create_failed(record: ContainerRecord, event: CreateFailed, turn: Turn) -> ContainerRecord:
    """Pulled again if the image is missing, tried again if that may help, else stopped."""
    failures = record.failures + 1
    if (event.image_missing or event.transient) and failures < CREATE_TRIES_MAX:
        return evolve(
            record,
            status=S.WAITING if event.image_missing else S.PULLED,
            deadline=None,
            failures=failures,
            retry_at=None if event.image_missing else turn.after(back_off(failures)),
        )
    return stopped(record, turn.now, f"CannotCreateContainerError: {event.reason}")


def start_failed(
    task: TaskRecord, record: ContainerRecord, event: StartFailed, turn: Turn
) -> ContainerRecord:
    """Made anew where a port that Docker chose was taken, or the container vanished; else stopped.

    Where it is not clear whether it started, it stays STARTING without a deadline: a look decides.

    A container that has run before is not made anew: what it wrote would be lost.
    """
    failures = record.failures + 1
    if event.unclear and failures < START_TRIES_MAX:
        retry_at = turn.after(back_off(failures))
        return evolve(record, deadline=None, failures=failures, retry_at=retry_at)
    container = definition(task.task, record.name)
    clash = event.port_clash and dynamic_ports(container) and failures < PORT_CLASH_TRIES_MAX
    vanished = event.missing and failures < CREATE_TRIES_MAX
    if (clash or vanished) and record.restarts == 0:
        return evolve(
            record,
            status=S.PULLED,
            deadline=None,
            failures=failures,
            attempt=record.attempt + 1,
            runtime_id=None,
        )
    kind = UNCLEAR_START if event.unclear else "CannotStartContainerError"
    return stopped(record, turn.now, f"{kind}: {event.reason}")
