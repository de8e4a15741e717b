"""Takes a host's report of a task in: status only moves forward, repeats change nothing.

The report is joined with what is known: the later status wins, and a fact that is known once
stays. So reports may come twice, or late, and the outcome is the same.
"""

from collections.abc import Iterable, Sequence

from moorage.ecs.records.resources import Resources
from moorage.ecs.records.task import Task, TaskContainer
from moorage.ecs.rules.task.status import CONTAINER_RANK, RANK, moved, status_named
from moorage.ground.instant import Instant, maybe_from_epoch
from moorage.ground.record import Record, evolve
from moorage.shapes.ecs.agent import (
    ContainerStateChange,
    SubmitContainerStateChangeRequest,
    SubmitTaskStateChangeRequest,
)
from moorage.shapes.ecs.network import NetworkBinding

ESSENTIAL_EXITED_CODE = "EssentialContainerExited"
FAILED_TO_START_CODE = "TaskFailedToStart"
ESSENTIAL_EXITED = "Essential container in task exited"
FAILED_TO_START = "Task failed to start"
# amazon-ecs-agent cuts reasons at this length, too.
REASON_LENGTH_MAX = 1024
# A host's word is kept in the task and shown to whoever asks for it: no host makes that long. A
# container has a hundred mappings at the most, each bound once for IPv4 and once for IPv6.
WORD_LENGTH_MAX = 255
BINDINGS_MAX = 200
_IPV6_ANY = "::"
# What an agent's reason begins with where a container was never started.
_START_ERRORS = (
    "CannotPull",
    "CannotCreate",
    "CannotStart",
    "CannotGetDocker",
    "DependencyError",
    "DockerClientConfigError",
    "HostConfigError",
    "ResourceInitializationError",
    "TaskStateError",
    "Unrecogni",
)


class ContainerReport(Record):
    """What a host says of one container; several reports of one container are in time order."""

    name: str
    status: str
    exit_code: int | None = None
    reason: str | None = None
    runtime_id: str | None = None
    image_digest: str | None = None
    network_bindings: tuple[NetworkBinding, ...] = ()


class TaskReport(Record):
    """What a host says of one task; `status` is empty where it only speaks of containers."""

    status: str
    reason: str = ""
    containers: tuple[ContainerReport, ...] = ()
    pull_started_at: Instant | None = None
    pull_stopped_at: Instant | None = None
    execution_stopped_at: Instant | None = None


class Advanced(Record):
    """The task after a report; `ignored` says why a report changed nothing."""

    task: Task
    changed: bool
    ignored: str = ""


def advance(task: Task, report: TaskReport, now: Instant) -> Advanced:
    """The task after its host's report."""
    if task.is_stopped:
        return Advanced(task=task, changed=False, ignored="The task is STOPPED.")
    after = _with_containers(task, report)
    after = evolve(
        after,
        pull_started_at=_first(task.pull_started_at, report.pull_started_at),
        pull_stopped_at=_first(task.pull_stopped_at, report.pull_stopped_at),
        execution_stopped_at=_first(task.execution_stopped_at, report.execution_stopped_at),
    )
    status = status_named(report.status)
    if status is not None and RANK[status] > RANK[task.last_status]:
        after = evolve(after, last_status=moved(task.last_status, status, "host"))
    after = _taken_in(_stamped(after, report, now), now)
    if after == task:
        return Advanced(task=task, changed=False, ignored="The report says nothing new.")
    return Advanced(task=after, changed=True)


def _taken_in(task: Task, now: Instant) -> Task:
    """Who runs a task that was sent has it, whether its acknowledgement has come yet or not.

    Of one that has ended it is not said: there the order to run it is withdrawn.
    """
    if task.acknowledged_at is not None or task.is_stopped or not task.payload_sequence:
        return task
    return evolve(task, acknowledged_at=now)


def report_of_task(request: SubmitTaskStateChangeRequest) -> TaskReport:
    """The report that SubmitTaskStateChange carries."""
    return TaskReport(
        status=request.status or "",
        reason=request.reason or "",
        containers=tuple(_container_report(one) for one in request.containers or ()),
        pull_started_at=maybe_from_epoch(request.pull_started_at),
        pull_stopped_at=maybe_from_epoch(request.pull_stopped_at),
        execution_stopped_at=maybe_from_epoch(request.execution_stopped_at),
    )


def report_of_container(request: SubmitContainerStateChangeRequest) -> TaskReport:
    """The report that SubmitContainerStateChange carries."""
    return TaskReport(
        status="",
        containers=(
            ContainerReport(
                name=request.container_name or "",
                status=request.status or "",
                exit_code=request.exit_code,
                reason=request.reason,
                runtime_id=_word(request.runtime_id),
                network_bindings=tuple((request.network_bindings or ())[:BINDINGS_MAX]),
            ),
        ),
    )


def shown_once(bindings: Iterable[NetworkBinding]) -> tuple[NetworkBinding, ...]:
    """Bindings without the IPv6 twins of IPv4 ones: Docker reports both, ECS shows one."""
    found: dict[tuple[object, ...], NetworkBinding] = {}
    for one in bindings:
        key = (
            one.container_port,
            one.host_port,
            one.protocol,
            one.container_port_range,
            one.host_port_range,
        )
        if key not in found or found[key].bind_ip == _IPV6_ANY:
            found[key] = one
    return tuple(found.values())


def _container_report(change: ContainerStateChange) -> ContainerReport:
    return ContainerReport(
        name=change.container_name or "",
        status=change.status or "",
        exit_code=change.exit_code,
        reason=change.reason,
        runtime_id=_word(change.runtime_id),
        image_digest=_word(change.image_digest),
        network_bindings=tuple((change.network_bindings or ())[:BINDINGS_MAX]),
    )


def _word(said: str | None) -> str | None:
    return None if said is None else said[:WORD_LENGTH_MAX]


def _with_containers(task: Task, report: TaskReport) -> Task:
    containers = {one.name: one for one in task.containers}
    for said in report.containers:
        known = containers.get(said.name)
        if known is not None:
            containers[said.name] = _container(known, said)
    after = tuple(containers.values())
    return evolve(task, containers=after, reserved=_reserved(task.reserved, after))


def _container(known: TaskContainer, said: ContainerReport) -> TaskContainer:
    rank, heard = CONTAINER_RANK[known.last_status], CONTAINER_RANK.get(said.status, 0)
    exit_code = known.exit_code if known.exit_code is not None else said.exit_code
    return evolve(
        known,
        last_status=said.status if heard > rank else known.last_status,
        exit_code=exit_code,
        reason=_reason(known, said, newer=heard > rank),
        runtime_id=known.runtime_id or said.runtime_id,
        image_digest=known.image_digest or said.image_digest,
        network_bindings=known.network_bindings or shown_once(said.network_bindings),
        health=known.health if heard < CONTAINER_RANK["STOPPED"] else "UNKNOWN",
    )


def _reason(known: TaskContainer, said: ContainerReport, *, newer: bool) -> str | None:
    """The reason of the latest status; while RUNNING an agent may give a warning as reason."""
    heard = said.reason[:REASON_LENGTH_MAX] if said.reason else None
    return heard or known.reason if newer else known.reason or heard


def _reserved(reserved: Resources, containers: Iterable[TaskContainer]) -> Resources:
    """What the task takes of its host, with the dynamic ports that the host has chosen."""
    bound = [one for container in containers for one in container.network_bindings]
    tcp = {one.host_port for one in bound if one.host_port and one.protocol != "udp"}
    udp = {one.host_port for one in bound if one.host_port and one.protocol == "udp"}
    return evolve(
        reserved,
        ports=tuple(sorted(tcp.union(reserved.ports))),
        ports_udp=tuple(sorted(udp.union(reserved.ports_udp))),
    )


def _stamped(task: Task, report: TaskReport, now: Instant) -> Task:
    """The task with the times of its status, and at its end with the reason why."""
    if task.last_status == "RUNNING" and task.started_at is None:
        return evolve(task, started_at=now)
    if not task.is_stopped:
        return task
    code, reason = _ending(task, report)
    # A container that ended before its RUNNING was seen did run: its exit code says so.
    ran = code == ESSENTIAL_EXITED_CODE and _has_ended(task.containers)
    return evolve(
        task,
        desired_status="STOPPED",
        stop_code=task.stop_code or code,
        stopped_reason=task.stopped_reason or reason,
        started_at=task.started_at if task.started_at is not None or not ran else now,
        stopping_at=_first(task.stopping_at, now),
        execution_stopped_at=_first(task.execution_stopped_at, now),
        stopped_at=now,
        containers=tuple(evolve(one, last_status="STOPPED") for one in task.containers),
    )


def _ending(task: Task, report: TaskReport) -> tuple[str, str]:
    """Why a task that nobody asked to stop has stopped: (stopCode, stoppedReason)."""
    causes = _causes(task.containers)
    ran = task.started_at is not None or _has_ended(task.containers)
    unstarted = next((text for text in causes if text.startswith(_START_ERRORS)), None)
    if ran and unstarted is None:
        return ESSENTIAL_EXITED_CODE, report.reason[:REASON_LENGTH_MAX] or ESSENTIAL_EXITED
    said = unstarted or report.reason or next(iter(causes), FAILED_TO_START)
    return FAILED_TO_START_CODE, said[:REASON_LENGTH_MAX]


def _has_ended(containers: Iterable[TaskContainer]) -> bool:
    """Whether a container ran and ended: only then it has an exit code."""
    return any(one.exit_code is not None for one in containers)


def _causes(containers: Sequence[TaskContainer]) -> list[str]:
    """The reasons that containers give, those of essential ones first."""
    ordered = sorted(containers, key=lambda one: not one.essential)
    return [one.reason for one in ordered if one.reason]


def _first(known: Instant | None, said: Instant | None) -> Instant | None:
    return known if known is not None else said
