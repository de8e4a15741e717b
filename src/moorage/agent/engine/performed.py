"""What came of instructions on this host: pulls, volumes, creations, starts, stops, removals.

A completion that does not fit the record (an earlier attempt, a second copy) changes nothing.
"""

from moorage.agent.engine import healing, impairment, lifecycle
from moorage.agent.engine.advance import container_of, pulled, with_container, with_resource
from moorage.agent.engine.dependency import definition
from moorage.agent.engine.events import (
    ContainerCreated,
    ContainerExited,
    ContainerRemoved,
    ContainerStarted,
    CreateFailed,
    HealthChanged,
    PullFailed,
    PullFinished,
    RemoveFailed,
    ResourceCreated,
    ResourceFailed,
    ResourceRemoved,
    ResourceRemoveFailed,
    StartFailed,
    StopFailed,
    StopFinished,
)
from moorage.agent.engine.instructions import PublishHealth
from moorage.agent.engine.reporting import health
from moorage.agent.engine.state import State
from moorage.agent.engine.transitions import S
from moorage.agent.engine.turn import Turn, back_off
from moorage.agent.records.container import ContainerRecord
from moorage.agent.records.image import ImageRecord
from moorage.agent.records.task import ResourceRecord, ResourceStatus, TaskRecord
from moorage.ground.record import evolve

_BEFORE_CREATED = frozenset({S.PULLED, S.CREATING})
_BEFORE_RUNNING = frozenset({S.CREATED, S.STARTING})
_MAY_STOP = frozenset({S.STARTING, S.RUNNING, S.STOPPING})


def _of_attempt(
    state: State,
    event: ContainerCreated
    | CreateFailed
    | ContainerStarted
    | StartFailed
    | StopFinished
    | StopFailed
    | ContainerRemoved
    | RemoveFailed,
    statuses: frozenset[S],
) -> tuple[TaskRecord, ContainerRecord] | None:
    """The task and the record that a completion is about, if it is about their present."""
    task = state.tasks.get(event.task_arn)
    record = None if task is None else container_of(task, event.container)
    if task is None or record is None or record.attempt != event.attempt:
        return None
    return (task, record) if record.status in statuses else None


def _put(state: State, task: TaskRecord, before: ContainerRecord, after: ContainerRecord) -> None:
    state.story.add(task.arn, before, after)
    state.to_report[task.arn] = None
    state.put(with_container(task, after))


# --- images ---------------------------------------------------------------------------------------


def _waiting_for(state: State, image: str) -> list[tuple[TaskRecord, list[ContainerRecord]]]:
    found = []
    for task in state.tasks.values():
        records = [
            record
            for record in task.containers
            if record.status == S.PULLING and definition(task.task, record.name).image == image
        ]
        if records:
            found.append((task, records))
    return found


def pull_finished(state: State, event: PullFinished, turn: Turn) -> None:
    """All containers that waited for the image have it."""
    image = ImageRecord(
        image=event.image,
        reference=event.reference,
        digest=event.digest or event.image.partition("@")[2] or None,
        last_used_at=turn.now,
    )
    state.pulls.finished(image)
    for task, records in _waiting_for(state, event.image):
        after = task
        for record in records:
            have = pulled(record, image)
            state.story.add(task.arn, record, have)
            after = with_container(after, have)
        if event.pulled:
            after = evolve(
                after,
                pull_started_at=min(event.started_at, after.pull_started_at or event.started_at),
                pull_stopped_at=max(event.finished_at, after.pull_stopped_at or event.finished_at),
            )
        state.put(after)


def pull_failed(state: State, event: PullFailed, turn: Turn) -> None:
    """Tried again where that may help; else the containers that waited for it stop."""
    if state.pulls.failed(event.image, transient=event.transient, now=turn.now):
        return
    reason = f"CannotPullContainerError: {event.reason}"
    for task, records in _waiting_for(state, event.image):
        after = evolve(
            task,
            pull_started_at=task.pull_started_at or event.started_at,
            pull_stopped_at=event.finished_at or task.pull_stopped_at,
        )
        for record in records:
            failed = lifecycle.stopped(record, turn.now, reason)
            state.story.add(task.arn, record, failed)
            after = with_container(after, failed)
        state.to_report[task.arn] = None
        state.put(after)


# --- volumes and cgroups --------------------------------------------------------------------------


def _resource_of(
    state: State, arn: str, name: str, status: ResourceStatus
) -> tuple[TaskRecord, ResourceRecord] | None:
    task = state.tasks.get(arn)
    for resource in () if task is None else task.resources:
        if task is not None and resource.name == name and resource.status == status:
            return task, resource
    return None


def resource_created(state: State, event: ResourceCreated, _turn: Turn) -> None:
    """The containers that waited for it may be created."""
    found = _resource_of(state, event.task_arn, event.name, ResourceStatus.CREATING)
    if found is not None:
        ready = evolve(found[1], status=ResourceStatus.READY, deadline=None)
        state.put(with_resource(found[0], ready))


def resource_failed(state: State, event: ResourceFailed, _turn: Turn) -> None:
    """The task cannot run; what was half made is removed with the rest."""
    found = _resource_of(state, event.task_arn, event.name, ResourceStatus.CREATING)
    if found is not None:
        half = evolve(found[1], status=ResourceStatus.READY, deadline=None)
        task = with_resource(found[0], half)
        reason = f"ResourceInitializationError: {event.reason}"[: lifecycle.REASON_LENGTH_MAX]
        state.put(evolve(task, desired="STOPPED", reason=task.reason or reason))


def resource_removed(state: State, event: ResourceRemoved, _turn: Turn) -> None:
    """One thing less."""
    found = _resource_of(state, event.task_arn, event.name, ResourceStatus.REMOVING)
    if found is not None:
        state.put(
            with_resource(found[0], evolve(found[1], status=ResourceStatus.REMOVED, deadline=None))
        )


def resource_remove_failed(state: State, event: ResourceRemoveFailed, turn: Turn) -> None:
    """Tried again later."""
    found = _resource_of(state, event.task_arn, event.name, ResourceStatus.REMOVING)
    if found is not None:
        task, resource = found
        failures = resource.failures + 1
        again = turn.after(back_off(failures))
        state.put(with_resource(task, evolve(resource, failures=failures, deadline=again)))


# --- containers -----------------------------------------------------------------------------------


def container_created(state: State, event: ContainerCreated, _turn: Turn) -> None:
    """It may be started; or, where it was given up meanwhile, it is known and will be removed."""
    found = _of_attempt(state, event, _BEFORE_CREATED | {S.STOPPED})
    if found is None:
        return
    task, record = found
    if record.status == S.STOPPED:
        if record.runtime_id is None:
            _put(state, task, record, evolve(record, runtime_id=event.runtime_id))
        return
    after = evolve(
        record, status=S.CREATED, deadline=None, retry_at=None, runtime_id=event.runtime_id
    )
    _put(state, task, record, after)


def create_failed(state: State, event: CreateFailed, turn: Turn) -> None:
    """Pulled or tried again where that may help."""
    found = _of_attempt(state, event, frozenset({S.CREATING}))
    if found is None:
        return
    task, record = found
    if event.image_missing:
        state.pulls.forget(definition(task.task, record.name).image or "")
    _put(state, task, record, lifecycle.create_failed(record, event, turn))


def container_started(state: State, event: ContainerStarted, _turn: Turn) -> None:
    """It runs."""
    found = _of_attempt(state, event, _BEFORE_RUNNING)
    if found is None or event.started_at in found[1].past_starts:
        return
    task, record = found
    if record.runtime_id == event.runtime_id:
        _put(state, task, record, lifecycle.started(task, record, event))


def start_failed(state: State, event: StartFailed, turn: Turn) -> None:
    """Made anew where that may help."""
    found = _of_attempt(state, event, frozenset({S.STARTING}))
    if found is None:
        return
    task, record = found
    after = lifecycle.start_failed(task, record, event, turn)
    if not event.missing:
        after = healing.instead(task, record, after, state.unheard, turn.now)
    _put(state, task, record, after)


def container_exited(state: State, event: ContainerExited, turn: Turn) -> None:
    """Its run ended; by its restart policy another may begin, and so while the server is away."""
    task = state.tasks.get(event.task_arn)
    record = None if task is None else container_of(task, event.container)
    if task is None or record is None or record.runtime_id != event.runtime_id:
        return
    if lifecycle.of_this_run(record, event.exit):
        absent_since = state.lost_since or state.absent_since
        exit_ = impairment.attributed(task, event.exit, absent_since, state.host.booted_at)
        after = lifecycle.ended(task, record, exit_)
        if not after.ghost:  # which cannot be started in place
            after = healing.instead(task, record, after, state.unheard, turn.now)
        _put(state, task, record, after)
        state.put(impairment.explained(state.tasks[task.arn]))


def stop_finished(state: State, event: StopFinished, turn: Turn) -> None:
    """It does not run any more."""
    found = _of_attempt(state, event, _MAY_STOP)
    if found is None:
        return
    task, record = found
    if event.exit is None:
        if record.status == S.STOPPING:
            _put(state, task, record, lifecycle.stopped(record, turn.now))
    elif lifecycle.of_this_run(record, event.exit):
        _put(state, task, record, lifecycle.ended(task, record, event.exit))


def stop_failed(state: State, event: StopFailed, turn: Turn) -> None:
    """Tried again later: it runs, and is told to run, until Docker could stop it."""
    _retried(state, event, S.STOPPING, S.RUNNING, turn)
    impairment.failed(state, event, turn)


def container_removed(state: State, event: ContainerRemoved, _turn: Turn) -> None:
    """It is gone."""
    found = _of_attempt(state, event, frozenset({S.REMOVING}))
    if found is not None:
        task, record = found
        _put(state, task, record, evolve(record, status=S.REMOVED, deadline=None))


def remove_failed(state: State, event: RemoveFailed, turn: Turn) -> None:
    """Tried again later."""
    _retried(state, event, S.REMOVING, S.STOPPED, turn)
    impairment.failed(state, event, turn)


def _retried(
    state: State, event: StopFailed | RemoveFailed, status: S, again: S, turn: Turn
) -> None:
    found = _of_attempt(state, event, frozenset({status}))
    if found is None:
        return
    task, record = found
    failures = record.failures + 1
    retry_at = turn.after(back_off(failures))
    after = evolve(record, status=again, deadline=None, failures=failures, retry_at=retry_at)
    _put(state, task, record, after)


def health_changed(state: State, event: HealthChanged, turn: Turn) -> None:
    """Published at once; a dependent container may begin."""
    task = state.tasks.get(event.task_arn)
    record = None if task is None else container_of(task, event.container)
    if task is None or record is None or record.runtime_id != event.runtime_id:
        return
    stale = record.health_since is not None and event.since < record.health_since
    if stale or record.health == event.health or record.status not in _MAY_STOP:
        return
    after = evolve(
        record, health=event.health, health_since=event.since, health_message=event.message
    )
    _put(state, task, record, after)
    publish_health(state, event.task_arn, turn)


def publish_health(state: State, arn: str, turn: Turn) -> None:
    """Say the health of one task, if it has any."""
    told = health(state.tasks[arn])
    if told is not None:
        turn.say(PublishHealth(tasks=(told,)))
