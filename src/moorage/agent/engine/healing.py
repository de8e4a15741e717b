"""Healing: an ended container of a service's task is run again in place while the server is away.

While the server is there, a task whose essential container ended is STOPPED, and the service
replaces it. While it is away nobody would: so the run's end is held back, and the same container
is started again, with back-off. The rules:

- only tasks of services that were told so with their payload, and none that is to be fenced;
- what the container's own restart policy takes up is not healed; what it declines is;
- essential containers, and those without which an essential one cannot start: linked ones, and
  those that must be HEALTHY first. A one-shot container that has done its work stays ended;
- a container waits for those it depends on that are coming back themselves;
- never after an order to stop, and never once the end was told to the server.

When the server is heard again, a container that runs, or is being started, is kept: its task never
stopped. One that still waits has ended as it ended: its task is STOPPED, as always.
"""

from moorage.agent.engine.dependency import definition, needs
from moorage.agent.engine.lifecycle import stopped
from moorage.agent.engine.transitions import S
from moorage.agent.records.container import ContainerRecord, Health, RunEnd
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Duration, Instant, between, later, minutes, seconds
from moorage.ground.record import evolve

# A container is started again after 1, 2, 4 ... seconds, at most this.
HEAL_BACK_OFF_FIRST = seconds(1)
HEAL_BACK_OFF_MAX = seconds(60)
HEAL_DOUBLINGS_MAX = 6
# One that ran for so long begins anew with the shortest wait.
HEAL_STEADY_RUN = minutes(1)
# Two readings of the silence differ by less: then nothing has changed.
REPACED_BEYOND = seconds(1)
PAST_STARTS_MAX = 8
_BEGUN = frozenset({S.CREATED, S.STARTING, S.RUNNING})
_COMING = frozenset({S.CREATED, S.STARTING})
_HEALTHY = "HEALTHY"
_LASTING = frozenset({"START", _HEALTHY})


def heal_after(task: TaskRecord) -> Duration | None:
    """After how long without the server this task is healed; None: never."""
    extras = task.task.moorage
    if extras is None or extras.heal_after_seconds is None:
        return None
    if not extras.service_name or extras.fence_after_seconds is not None:
        return None
    return seconds(extras.heal_after_seconds)


def back_off(tries: int) -> Duration:
    """How long to wait before the `tries`-th start in a row, from 1."""
    doublings = min(max(tries - 1, 0), HEAL_DOUBLINGS_MAX)
    return Duration(min(HEAL_BACK_OFF_FIRST << doublings, HEAL_BACK_OFF_MAX))


def instead(
    task: TaskRecord,
    before: ContainerRecord,
    after: ContainerRecord,
    unheard: Duration | None,
    now: Instant,
) -> ContainerRecord:
    """`after`, or where it is an end that is to be healed, the record that waits for that.

    `unheard` is for how long the server has not been heard; None where it is there.
    """
    patience = heal_after(task)
    if unheard is None or patience is None or task.desired == "STOPPED":
        return after
    if after.status != S.STOPPED or before.status not in _BEGUN:
        return after
    if after.started_at is None or after.runtime_id is None or not _lasting(task, before.name):
        return after
    finished_at = now if after.finished_at is None else after.finished_at
    failed = before.status == S.STARTING and before.started_at in before.past_starts
    ran = Duration(0) if failed else between(after.started_at, finished_at)
    tries = 1 if ran >= HEAL_STEADY_RUN else before.heal_tries + 1
    known = before.last_end.exit_code if failed and before.last_end else after.exit_code
    return evolve(
        after,
        status=S.CREATED,
        held=True,
        heal_tries=tries,
        retry_at=max(later(now, back_off(tries)), later(now, Duration(patience - unheard))),
        last_end=RunEnd(
            finished_at=finished_at,
            exit_code=known,
            reason=after.reason,
            out_of_memory=after.out_of_memory,
        ),
        past_starts=_past(after),
        finished_at=None,
        reason=before.reason,
        out_of_memory=False,
        stop_asked_at=None,
        health=Health.UNKNOWN,
        health_since=None,
        health_message=None,
    )


def repaced(
    task: TaskRecord, record: ContainerRecord, unheard: Duration, now: Instant
) -> ContainerRecord:
    """The record, where it is held with its next start no sooner, and no later, than it should be.

    No sooner: the silence has begun anew, or is none (a server that is there and refuses this
    host). No later: the wall clock was set back.
    """
    patience = heal_after(task)
    if not record.held or patience is None or record.retry_at is None:
        return record
    soonest = later(now, Duration(max(patience - unheard, 0)))
    latest = later(soonest, HEAL_BACK_OFF_MAX)
    if later(record.retry_at, REPACED_BEYOND) < soonest and unheard < patience:
        return evolve(record, retry_at=soonest)
    return evolve(record, retry_at=latest) if record.retry_at > latest else record


def waits(task: TaskRecord, name: str) -> bool:
    """Whether a container that is to be started again must let another one go before."""
    records = {record.name: record for record in task.containers}
    return any(
        _is_coming(task, records[other], condition)
        for other, condition in needs(definition(task.task, name))
        if condition in _LASTING
    )


def begun(record: ContainerRecord) -> ContainerRecord:
    """The record of a container that is being started again."""
    return evolve(record, held=False, healings=record.healings + 1, restarts=record.restarts + 1)


def released(record: ContainerRecord) -> ContainerRecord:
    """The record of a container that was held, and is not to be started again after all."""
    end = record.last_end
    assert end is not None, "what is held has ended"
    over = stopped(record, end.finished_at, end.reason, end.exit_code)
    return evolve(over, out_of_memory=end.out_of_memory)


def _lasting(task: TaskRecord, name: str) -> bool:
    """Whether the task is not whole without this container running."""
    containers = task.task.containers or ()
    if definition(task.task, name).essential:
        return True
    linked = {link.split(":", 1)[0] for one in containers for link in one.links or ()}
    healthy = {
        need.container_name
        for one in containers
        for need in one.depends_on or ()
        if need.condition == _HEALTHY
    }
    return name in linked | healthy


def _is_coming(task: TaskRecord, there: ContainerRecord, condition: str) -> bool:
    if there.status in _COMING:
        return True
    checked = definition(task.task, there.name).health_check_type == "docker"
    return (
        condition == _HEALTHY
        and checked
        and there.status == S.RUNNING
        and there.health == Health.UNKNOWN
    )


def _past(record: ContainerRecord) -> tuple[Instant, ...]:
    began = record.started_at
    if began is None or began in record.past_starts:
        return record.past_starts
    return (*record.past_starts, began)[-PAST_STARTS_MAX:]
