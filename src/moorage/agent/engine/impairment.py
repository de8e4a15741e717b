"""When the host is impaired, why, and what is put down to its engine.

The kinds, each the first word of a reason that is published:

- EngineLost: the engine does not answer. Nothing is asked of it; what it did meanwhile is found by
  a look when it is back, and what ended while it was away is put down to it.
- ContainerStuck: the engine answers, but a container does not end (its process waits for a dead
  disk, say) or cannot be removed. Its task stays as it is; the host takes nothing new on.
- RecordsUnwritable: the agent's own folder cannot be written (`agent/loop.py` says so).

Of these only the first means that the host's tasks may be gone.
"""

from moorage.acs.telemetry import CONTAINER_STUCK, ENGINE_LOST
from moorage.agent.engine import lifecycle
from moorage.agent.engine.advance import container_of
from moorage.agent.engine.dependency import definition
from moorage.agent.engine.events import RemoveFailed, StopFailed
from moorage.agent.engine.instructions import PublishInstanceStatus
from moorage.agent.engine.state import State, Stuck
from moorage.agent.engine.transitions import S
from moorage.agent.engine.turn import Turn
from moorage.agent.records.container import ContainerRecord, Exit
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Instant, earlier, seconds
from moorage.ground.record import evolve

# A stop that fails once may have met an engine at a bad moment.
STUCK_AFTER_FAILURES = 2
# An end may lie a little before the loss was noticed: an engine that is told to stop ends its
# containers first.
LOSS_NOTICED_WITHIN = seconds(30)
REASON_LENGTH_MAX = 512


def attributed(
    task: TaskRecord, exit_: Exit, absent_since: Instant | None, booted_at: Instant | None = None
) -> Exit:
    """The exit, put down to the engine where it came about in its absence, unasked.

    So is the end of what began before the machine did: it went down, and the engine with it.
    """
    if exit_.cause != "own" or task.desired == "STOPPED":
        return exit_
    away = absent_since is not None and exit_.finished_at >= earlier(
        absent_since, LOSS_NOTICED_WITHIN
    )
    began = exit_.started_at
    rebooted = booted_at is not None and began is not None and began < booted_at
    return evolve(exit_, cause="engine") if away or rebooted else exit_


def vanished(before: ContainerRecord, after: ContainerRecord) -> ContainerRecord:
    """A container that was not there any more after the engine's absence went with it."""
    if after.status != S.STOPPED or before.status == S.STOPPED or after.reason != lifecycle.GONE:
        return after
    return evolve(after, reason=lifecycle.ENGINE_LOST)


def explained(task: TaskRecord) -> TaskRecord:
    """The task with the reason of an essential container that its engine ended, as its own."""
    if task.reason is not None:
        return task
    reasons = (
        record.reason
        for record in task.containers
        if record.status == S.STOPPED and definition(task.task, record.name).essential
    )
    named = (r for r in reasons if r in {lifecycle.ENGINE_LOST, lifecycle.GHOST})
    return evolve(task, reason=next(named, None))


def failed(state: State, event: StopFailed | RemoveFailed, turn: Turn) -> None:
    """Remember a container that cannot be ended, or a ghost that cannot be removed."""
    task = state.tasks.get(event.task_arn)
    record = None if task is None else container_of(task, event.container)
    if record is None or not _is_stuck(record):
        return
    key = (event.task_arn, event.container)
    known = state.stuck.get(key)
    since = turn.now if known is None else known.since
    state.stuck[key] = Stuck(since=since, reason=event.reason)


def _is_stuck(record: ContainerRecord) -> bool:
    if record.failures < STUCK_AFTER_FAILURES:
        return False
    stopping = record.status in {S.RUNNING, S.STOPPING} and record.stop_asked_at is not None
    return stopping or (record.ghost and record.status in {S.STOPPED, S.REMOVING})


def status(state: State, now: Instant) -> PublishInstanceStatus:
    """How the container runtime of this host is, since when, and why."""
    if state.lost_since is not None:
        reason = f"{ENGINE_LOST}: {state.lost_reason or 'the container engine does not answer'}"
        return _said(state.lost_since, reason)
    if state.stuck:
        (arn, name), first = min(state.stuck.items(), key=lambda each: each[1].since)
        more = len(state.stuck) - 1
        others = f" (and {more} more)" if more else ""
        reason = (
            f"{CONTAINER_STUCK}: container {name} of task {arn.rpartition('/')[2]} "
            f"does not end{others}: {first.reason}"
        )
        return _said(first.since, reason)
    return PublishInstanceStatus(impaired=False, since=state.engine_since or now)


def _said(since: Instant, reason: str) -> PublishInstanceStatus:
    return PublishInstanceStatus(impaired=True, since=since, reason=reason[:REASON_LENGTH_MAX])


def publish(state: State, turn: Turn) -> None:
    """Say how it is."""
    told = status(state, turn.now)
    state.told_impaired = told.impaired
    turn.say(told)


def follow(state: State, turn: Turn) -> None:
    """Forget what is stuck no more, and say what has changed."""
    for (arn, name), stuck in list(state.stuck.items()):
        task = state.tasks.get(arn)
        record = None if task is None else container_of(task, name)
        if record is None or not _is_stuck(record):
            del state.stuck[arn, name]
            state.engine_since = max(turn.now, stuck.since)
    impaired = state.lost_since is not None or bool(state.stuck)
    if impaired != state.told_impaired:
        publish(state, turn)
