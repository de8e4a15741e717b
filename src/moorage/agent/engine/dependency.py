"""Which containers may start, and which may stop: dependsOn in its four conditions.

ECS, ContainerDependency: START, COMPLETE, SUCCESS, HEALTHY; `startTimeout` of the container that
is depended on bounds the wait for the latter three, counted from its start. Links wait for START,
and volumesFrom for the other container's creation, as Docker itself demands. Stopping goes the
other way round: a container is stopped once those that depend on it have stopped.
"""

from collections.abc import Callable, Mapping, Sequence

from moorage.acs.task_messages import Container, Task
from moorage.agent.engine.transitions import ENDED, LIVE, S
from moorage.agent.records.container import ContainerRecord, Health
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Instant, later, seconds
from moorage.ground.record import Record

_CREATE = "CREATE"


class Ready(Record):
    """Nothing is waited for."""


class Waits(Record):
    """Something is; `until` is when patience ends, if it does."""

    until: Instant | None = None


class Hopeless(Record):
    """It can never be: `reason` says what stands in the way."""

    reason: str


Verdict = Ready | Waits | Hopeless


def _created(there: ContainerRecord) -> Verdict:
    if there.runtime_id is not None and there.status != S.REMOVED:
        return Ready()
    return Hopeless(reason="was not created") if there.status in ENDED else Waits()


def _started(there: ContainerRecord) -> Verdict:
    if there.started_at is not None:
        return Ready()
    return Hopeless(reason="did not start") if there.status in ENDED else Waits()


def _completed(there: ContainerRecord) -> Verdict:
    if there.status not in ENDED:
        return Waits()
    return Hopeless(reason="did not run") if there.exit_code is None else Ready()


def _succeeded(there: ContainerRecord) -> Verdict:
    if there.status not in ENDED:
        return Waits()
    if there.exit_code == 0:
        return Ready()
    return Hopeless(reason=f"ended with exit code {there.exit_code}")


def _healthy(there: ContainerRecord) -> Verdict:
    if there.status in ENDED:
        return Hopeless(reason="stopped before it was healthy")
    return Ready() if there.health == Health.HEALTHY else Waits()


CONDITIONS: Mapping[str, Callable[[ContainerRecord], Verdict]] = {
    _CREATE: _created,
    "START": _started,
    "COMPLETE": _completed,
    "SUCCESS": _succeeded,
    "HEALTHY": _healthy,
}
# A wait for these is bounded by the startTimeout of the container that is waited for.
TIMED = frozenset({"COMPLETE", "SUCCESS", "HEALTHY"})


def needs(container: Container) -> list[tuple[str, str]]:
    """What `container` waits for before it is created: pairs of container name and condition."""
    wanted = [(need.container_name, need.condition) for need in container.depends_on or ()]
    wanted += [(link.split(":", 1)[0], "START") for link in container.links or ()]
    wanted += [
        (source.source_container, _CREATE)
        for source in container.volumes_from or ()
        if source.source_container
    ]
    return wanted


def verdict(task: TaskRecord, name: str, now: Instant) -> Verdict:
    """Whether the container `name` may be created now, must wait, or never can be."""
    definitions = {container.name: container for container in task.task.containers or ()}
    records = {record.name: record for record in task.containers}
    until: list[Instant] = []
    waits = False
    for other, condition in needs(definitions[name]):
        found = CONDITIONS[condition](records[other])
        if isinstance(found, Ready):
            continue
        if isinstance(found, Hopeless):
            return Hopeless(reason=f"{other} {found.reason}")
        waits = True
        patience = definitions[other].start_timeout
        began = records[other].started_at
        if patience and began is not None and condition in TIMED:
            end = later(began, seconds(patience))
            if end <= now:
                return Hopeless(
                    reason=f"{other} did not reach {condition} within {patience} seconds"
                )
            until.append(end)
    return Waits(until=min(until, default=None)) if waits else Ready()


def ready(task: TaskRecord, now: Instant) -> list[str]:
    """The names of the containers that nothing keeps from being created."""
    return [c.name for c in task.containers if isinstance(verdict(task, c.name, now), Ready)]


def stoppable(task: TaskRecord, name: str) -> bool:
    """Whether no container that runs depends on `name`: then it may be stopped."""
    records = {record.name: record for record in task.containers}
    return not any(
        records[container.name].status in LIVE
        for container in task.task.containers or ()
        if container.name != name and any(other == name for other, _ in needs(container))
    )


def flaw(containers: Sequence[Container]) -> str | None:
    """What makes these dependencies impossible by themselves: unknown names, circles."""
    names = {container.name for container in containers}
    waiting = {container.name: needs(container) for container in containers}
    for name, wanted in waiting.items():
        for other, condition in wanted:
            if other not in names:
                return f"container {name} depends on {other}, which the task does not have"
            if condition not in CONDITIONS:
                return f"container {name} depends on {other} by an unknown condition {condition}"
    for _ in range(len(names)):
        free = [
            name for name, wanted in waiting.items() if not any(o in waiting for o, _ in wanted)
        ]
        if not free:
            break
        for name in free:
            del waiting[name]
    return f"the dependencies of {sorted(waiting)} form a circle" if waiting else None


def definition(task: Task, name: str) -> Container:
    """The definition of the container `name`, which the task has."""
    return next(container for container in task.containers or () if container.name == name)
