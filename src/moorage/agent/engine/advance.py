"""The rule by which a task moves on: from what is known and what is wanted to what is done now.

`advance` is level-triggered: it looks at the records, not at what has just happened, makes every
move that can be made, and gives the instructions. Calling it twice changes nothing.
"""

from collections.abc import Callable, Mapping

from moorage.agent.engine import healing
from moorage.agent.engine.dependency import Hopeless, Waits, definition, stoppable, verdict
from moorage.agent.engine.instructions import (
    CreateContainer,
    RemoveContainer,
    StartContainer,
    StopContainer,
)
from moorage.agent.engine.lifecycle import stopped
from moorage.agent.engine.reporting import ended
from moorage.agent.engine.specification import (
    Making,
    Unspecifiable,
    specify,
    stop_timeout_seconds,
)
from moorage.agent.engine.transitions import ENDED, S, voided
from moorage.agent.engine.turn import (
    CREATE_DEADLINE,
    REMOVE_DEADLINE,
    RESOURCE_DEADLINE,
    START_DEADLINE,
    STOP_DEADLINE_BEYOND_TIMEOUT,
    Turn,
)
from moorage.agent.engine.volumes import making, removing
from moorage.agent.records.container import ContainerRecord
from moorage.agent.records.image import ImageRecord
from moorage.agent.records.task import ResourceRecord, ResourceStatus, TaskRecord
from moorage.ground.instant import Instant, later, seconds
from moorage.ground.record import evolve

# Each pass moves at least one container one status on; more passes than this is a bug.
PASSES_MAX = 200


def advance(task: TaskRecord, turn: Turn, *, clean_up: bool = False) -> TaskRecord:
    """Make every move that the task can make now; `clean_up` where its remains are to be removed.

    Instructions are added to `turn`. The task has been forgotten in full once `gone` says so.
    """
    for _ in range(PASSES_MAX):
        before = task
        task = _wanted(task, turn)
        task = _resources(task, turn, clean_up=clean_up)
        for name in [record.name for record in task.containers]:
            task = _container(task, name, turn, clean_up=clean_up)
        if task == before:
            return task
    raise AssertionError(f"a task that never rests: {task.arn} {list(turn.story.of(task.arn))}")


def with_container(task: TaskRecord, record: ContainerRecord) -> TaskRecord:
    """The task with the record of one container replaced."""
    return evolve(
        task, containers=tuple(record if c.name == record.name else c for c in task.containers)
    )


def container_of(task: TaskRecord, name: str) -> ContainerRecord | None:
    """The record of the container `name`, if the task has it."""
    return next((record for record in task.containers if record.name == name), None)


def with_resource(task: TaskRecord, resource: ResourceRecord) -> TaskRecord:
    """The task with the record of one resource replaced."""
    return evolve(
        task, resources=tuple(resource if r.name == resource.name else r for r in task.resources)
    )


def gone(task: TaskRecord) -> bool:
    """Whether nothing of the task is left on the host and nothing is left to say."""
    return (
        task.settled
        and all(record.status == S.REMOVED for record in task.containers)
        and all(resource.status == ResourceStatus.REMOVED for resource in task.resources)
    )


def next_due(task: TaskRecord, now: Instant) -> Instant | None:
    """When time alone will have something to say about this task: a deadline, a retry, a wait."""
    dues = [due for r in task.containers if (due := r.retry_at or r.deadline) is not None]
    dues += [resource.deadline for resource in task.resources if resource.deadline is not None]
    for record in task.containers:
        if record.status == S.PULLED and task.desired == "RUNNING":
            found = verdict(task, record.name, now)
            if isinstance(found, Waits) and found.until is not None:
                dues.append(found.until)
    return min(dues, default=None)


def _wanted(task: TaskRecord, turn: Turn) -> TaskRecord:
    """A task whose essential container ended is to stop; so is one of which nothing runs."""
    if task.stopped_at is not None and task.desired == "STOPPED":
        return task
    ends = [
        record.finished_at or turn.now
        for record in task.containers
        if record.status in ENDED and definition(task.task, record.name).essential
    ]
    if ends:
        return evolve(task, desired="STOPPED", stopped_at=task.stopped_at or min(ends))
    if ended(task):
        last = max((c.finished_at or turn.now for c in task.containers), default=turn.now)
        return evolve(task, desired="STOPPED", stopped_at=task.stopped_at or last)
    return task


# --- resources ------------------------------------------------------------------------------------


def _resources(task: TaskRecord, turn: Turn, *, clean_up: bool) -> TaskRecord:
    for resource in task.resources:
        if resource.deadline is None or resource.deadline <= turn.now:
            task = with_resource(task, _resource(task, resource, turn, clean_up=clean_up))
    return task


def _resource(
    task: TaskRecord, resource: ResourceRecord, turn: Turn, *, clean_up: bool
) -> ResourceRecord:
    """The next step of a resource for whose completion nobody waits (any more)."""
    idle = evolve(resource, deadline=None)
    if task.desired == "RUNNING":
        if resource.status == ResourceStatus.READY:
            return idle
        turn.act(making(task, resource, turn.host))
        return evolve(
            resource, status=ResourceStatus.CREATING, deadline=turn.after(RESOURCE_DEADLINE)
        )
    if resource.status in {ResourceStatus.WAITING, ResourceStatus.REMOVED}:
        return evolve(idle, status=ResourceStatus.REMOVED)
    if not clean_up or any(record.status != S.REMOVED for record in task.containers):
        return idle
    if resource.kept:
        return evolve(idle, status=ResourceStatus.REMOVED)
    turn.act(removing(task, resource))
    return evolve(resource, status=ResourceStatus.REMOVING, deadline=turn.after(RESOURCE_DEADLINE))


# --- containers -----------------------------------------------------------------------------------


def _container(task: TaskRecord, name: str, turn: Turn, *, clean_up: bool) -> TaskRecord:
    record = container_of(task, name)
    assert record is not None
    if record.deadline is not None and record.deadline <= turn.now:
        record = turn.moved(task.arn, record, voided(record))
        task = with_container(task, record)
    if record.retry_at is not None:
        if record.retry_at > turn.now and not _overtaken(task, record):
            return task
        record = evolve(record, retry_at=None)
        task = with_container(task, record)
    if record.status in ENDED:
        after = _removed(task, record, turn) if clean_up else record
    else:
        after = STEPS[record.status](task, record, turn)
    return with_container(task, turn.moved(task.arn, record, after))


def _overtaken(task: TaskRecord, record: ContainerRecord) -> bool:
    """Whether a wait before the next try has lost its sense: a start that is not wanted now."""
    return task.desired == "STOPPED" and record.status in {S.WAITING, S.PULLED, S.CREATED}


def _not_begun(task: TaskRecord, record: ContainerRecord, turn: Turn) -> ContainerRecord | None:
    """The record stopped, where it need not, or can never, be begun."""
    if task.desired == "STOPPED":
        return stopped(record, turn.now)
    found = verdict(task, record.name, turn.now)
    if isinstance(found, Hopeless):
        return stopped(record, turn.now, f"DependencyError: {found.reason}")
    return None


def _waiting(task: TaskRecord, record: ContainerRecord, turn: Turn) -> ContainerRecord:
    over = _not_begun(task, record, turn)
    if over is not None:
        return over
    container = definition(task.task, record.name)
    image = container.image or ""
    known = turn.pulls.here(image)
    if known is not None:
        return pulled(record, known)
    pull = turn.pulls.want(image, container.registry_authentication, turn.now)
    if pull is not None:
        turn.act(pull)
    return evolve(record, status=S.PULLING)


def pulled(record: ContainerRecord, image: ImageRecord) -> ContainerRecord:
    """The record of a container whose image is here."""
    return evolve(
        record,
        status=S.PULLED,
        deadline=None,
        image_reference=image.reference,
        image_digest=image.digest,
    )


def _pulling(task: TaskRecord, record: ContainerRecord, turn: Turn) -> ContainerRecord:
    return _not_begun(task, record, turn) or record


def _pulled(task: TaskRecord, record: ContainerRecord, turn: Turn) -> ContainerRecord:
    over = _not_begun(task, record, turn)
    if over is not None:
        return over
    if isinstance(verdict(task, record.name, turn.now), Waits):
        return record
    if any(resource.status != ResourceStatus.READY for resource in task.resources):
        return record
    container = definition(task.task, record.name)
    if turn.ports_freed_soon(task, container):
        return record
    making_ = Making(
        task=task.task,
        container=container,
        image=record.image_reference or container.image or "",
        attempt=record.attempt,
    )
    spec = specify(making_, turn.host)
    if isinstance(spec, Unspecifiable):
        return stopped(record, turn.now, spec.reason)
    turn.act(
        CreateContainer(task_arn=task.arn, container=record.name, attempt=record.attempt, spec=spec)
    )
    return evolve(record, status=S.CREATING, deadline=turn.after(CREATE_DEADLINE))


def _created(task: TaskRecord, record: ContainerRecord, turn: Turn) -> ContainerRecord:
    if task.desired == "STOPPED":
        # In a restart in place, the run before is the one that is told.
        return healing.released(record) if record.held else stopped(record, turn.now)
    if record.held:
        if healing.waits(task, record.name):
            return record
        record = healing.begun(record)
    assert record.runtime_id is not None
    turn.act(
        StartContainer(
            task_arn=task.arn,
            container=record.name,
            attempt=record.attempt,
            runtime_id=record.runtime_id,
        )
    )
    return evolve(record, status=S.STARTING, deadline=turn.after(START_DEADLINE))


def _starting(_task: TaskRecord, record: ContainerRecord, turn: Turn) -> ContainerRecord:
    if record.deadline is None:
        turn.wants_look = True  # only a look can tell whether it has run
    return record


def _running(task: TaskRecord, record: ContainerRecord, turn: Turn) -> ContainerRecord:
    if task.desired == "RUNNING" or not stoppable(task, record.name):
        return record
    assert record.runtime_id is not None
    timeout = stop_timeout_seconds(definition(task.task, record.name))
    turn.act(
        StopContainer(
            task_arn=task.arn,
            container=record.name,
            attempt=record.attempt,
            runtime_id=record.runtime_id,
            timeout_seconds=timeout,
        )
    )
    patience = later(turn.after(seconds(timeout)), STOP_DEADLINE_BEYOND_TIMEOUT)
    return evolve(
        record,
        status=S.STOPPING,
        deadline=patience,
        stop_asked_at=record.stop_asked_at or turn.now,
    )


def _rests(_task: TaskRecord, record: ContainerRecord, _turn: Turn) -> ContainerRecord:
    return record


def _removed(task: TaskRecord, record: ContainerRecord, turn: Turn) -> ContainerRecord:
    if record.status != S.STOPPED:
        return record
    if record.runtime_id is None:
        return evolve(record, status=S.REMOVED)
    turn.act(
        RemoveContainer(
            task_arn=task.arn,
            container=record.name,
            attempt=record.attempt,
            runtime_id=record.runtime_id,
        )
    )
    return evolve(record, status=S.REMOVING, deadline=turn.after(REMOVE_DEADLINE))


STEPS: Mapping[S, Callable[[TaskRecord, ContainerRecord, Turn], ContainerRecord]] = {
    S.WAITING: _waiting,
    S.PULLING: _pulling,
    S.PULLED: _pulled,
    S.CREATING: _rests,
    S.CREATED: _created,
    S.STARTING: _starting,
    S.RUNNING: _running,
    S.STOPPING: _rests,
}
