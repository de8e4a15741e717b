"""What a full look changes: the engine's records meet what is really there.

A look corrects what events missed. It says nothing of a container that moved since the look was
asked for, nor of one whose instruction is out and not overdue; the end of a run is believed
whenever it is seen, since an end is never taken back.
"""

from collections.abc import Callable, Mapping

from moorage.agent.engine.labels import LABEL_ATTEMPT
from moorage.agent.engine.lifecycle import GONE, ended, of_this_run, running, stopped
from moorage.agent.engine.transitions import ENDED, IN_FLIGHT, S
from moorage.agent.records.container import ContainerRecord, ObservedContainer
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Instant
from moorage.ground.record import evolve

_UNMADE = frozenset({S.WAITING, S.PULLING, S.PULLED, S.CREATING})


def reconcile(
    task: TaskRecord,
    record: ContainerRecord,
    seen: ObservedContainer | None,
    now: Instant,
) -> ContainerRecord:
    """The record after a look that found `seen`, or None: no such container."""
    if record.status in IN_FLIGHT and record.deadline is not None:
        return record
    if seen is None:
        return ABSENT[record.status](record, now)
    if record.status in ENDED:
        # Made by an instruction that had been given up: known again, so that it is removed.
        known = record.runtime_id is not None or record.status != S.STOPPED
        return record if known else evolve(record, runtime_id=seen.runtime_id)
    if record.status in _UNMADE and seen.labels.get(LABEL_ATTEMPT) not in {
        None,
        str(record.attempt),
    }:
        return record  # an earlier making, which the next creation replaces
    if record.runtime_id not in {None, seen.runtime_id} and record.status != S.CREATED:
        return ABSENT[record.status](record, now)
    record = evolve(record, runtime_id=seen.runtime_id)
    if seen.running:
        return _runs(task, record, seen)
    return _unstarted(record)


def finished(
    task: TaskRecord, record: ContainerRecord, seen: ObservedContainer
) -> ContainerRecord | None:
    """The record after the end that `seen` shows, if that is news of the present run."""
    if seen.exit is None or record.runtime_id not in {None, seen.runtime_id}:
        return None
    if not of_this_run(record, seen.exit):
        return None
    return ended(task, evolve(record, runtime_id=seen.runtime_id), seen.exit)


def _runs(task: TaskRecord, record: ContainerRecord, seen: ObservedContainer) -> ContainerRecord:
    if record.status == S.RUNNING and record.started_at == seen.started_at:
        after = record
    else:
        after = running(task, record, seen.started_at, seen.bindings, seen.runtime_id)
    if seen.health == after.health:
        return after  # `health_since` of a look is its last check, not its last change
    return evolve(
        after,
        health=seen.health,
        health_since=seen.health_since if seen.health_since is not None else after.health_since,
        health_message=seen.health_message,
    )


def _unstarted(record: ContainerRecord) -> ContainerRecord:
    """It exists and does not run, and this run of it has no end: so it has not begun."""
    if record.status in {S.RUNNING, S.STOPPING}:
        return record  # the look was taken between its end and the news of it
    return evolve(record, status=S.CREATED, deadline=None)


def _as_it_is(record: ContainerRecord, _now: Instant) -> ContainerRecord:
    return record


def _make_again(record: ContainerRecord, now: Instant) -> ContainerRecord:
    """It never ran, so that another may take its place; one that has run may not."""
    if record.restarts or record.held:
        return stopped(record, now, GONE)
    return evolve(record, status=S.PULLED, deadline=None, runtime_id=None)


def _lost(record: ContainerRecord, now: Instant) -> ContainerRecord:
    return stopped(evolve(record, runtime_id=None), now, GONE)


def _unmade(record: ContainerRecord, _now: Instant) -> ContainerRecord:
    return evolve(record, runtime_id=None)


def _is_removed(record: ContainerRecord, _now: Instant) -> ContainerRecord:
    return evolve(record, status=S.REMOVED, deadline=None)


ABSENT: Mapping[S, Callable[[ContainerRecord, Instant], ContainerRecord]] = {
    S.WAITING: _as_it_is,
    S.PULLING: _as_it_is,
    S.PULLED: _as_it_is,
    S.CREATING: _make_again,
    S.CREATED: _make_again,
    S.STARTING: _lost,
    S.RUNNING: _lost,
    S.STOPPING: _lost,
    S.STOPPED: _unmade,
    S.REMOVING: _is_removed,
    S.REMOVED: _as_it_is,
}
