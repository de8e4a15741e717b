"""What a service waits for now: a freeze, a back-off, a pilot, hosts, checks, room, each by name."""

from collections.abc import Callable, Mapping, Sequence

from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment import backoff, hooks, pinning, protection, relocation
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.health import Standing
from moorage.ecs.rules.deployment.rolling import percentages
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ecs.rules.deployment.strategies import census_of
from moorage.ecs.rules.explanation.filters import Funnel, shown
from moorage.ecs.rules.freeze import HOLDING
from moorage.ecs.rules.task.ending import length
from moorage.ground.instant import Instant, between, iso, later
from moorage.ground.record import Record, evolve

ID_LENGTH_SHOWN = 8


class Wait(Record):
    """One thing that is waited for, and when that ends by time alone, where it does."""

    text: str
    until: Instant | None = None


class ServiceCase(Record):
    """All that is known of a service that is ACTIVE or DRAINING.

    `freezes` are those that hold it now, the brake's too; `room` is what the hosts say to one more
    task of it; `names` are the hosts' by ARN; `events` its newest, the newest first.
    """

    state: ServiceState
    now: Instant
    room: Funnel
    freezes: tuple[Freeze, ...] = ()
    names: Mapping[str, str] = {}
    events: tuple[ServiceEvent, ...] = ()


def waits(case: ServiceCase) -> list[Wait]:
    """All that the service waits for, what holds everything first; empty where nothing is missing."""
    taken = census_of(case.state, case.now)
    return [one for look in _LOOKS for one in look(case, taken)]


def _frozen(case: ServiceCase, _: Census) -> Sequence[Wait]:
    name = case.state.service.name
    return [
        Wait(
            text=(
                f'It is frozen ({one.cause}: "{one.reason}"): nothing of it is started, stopped or '
                f"replaced. To end that: moorage thaw {one.cluster}"
                f"{f' --service {name}' if one.service else ''}"
            ),
            until=one.until,
        )
        for one in case.freezes
        if one.cause in HOLDING
    ]


def _ending(case: ServiceCase, _: Census) -> Sequence[Wait]:
    service = case.state.service
    if service.status != "DRAINING":
        return ()
    left = [one for one in case.state.tasks if not one.is_stopped]
    return [Wait(text=f"It was deleted, and is INACTIVE once {tasks(len(left))} of it ended.")]


def _failed(case: ServiceCase, _: Census) -> Sequence[Wait]:
    primary = case.state.primary
    if primary.rollout_state != "FAILED":
        return ()
    then = "nothing more of it is started until the service is updated."
    if primary.stalled:
        then = "it is tried further."
    elif primary.keeps:
        then = f"the tasks of {primary.keeps} are kept until the service is updated."
    failed = f"Its newest deployment {primary.id} has failed ({primary.rollout_reason})"
    return [Wait(text=f"{failed}: {then}")]


def _paused(case: ServiceCase, _: Census) -> Sequence[Wait]:
    primary = case.state.primary
    return [
        Wait(
            text=(
                f"Its newest deployment {primary.id} is paused at {one.stage} by a lifecycle hook. "
                f"To go on: aws ecs continue-service-deployment --service-deployment-arn "
                f"{primary.arn} --hook-id {one.id} (or with --action ROLLBACK). By then follows "
                f"{one.timeout_action}."
            ),
            until=one.expires_at,
        )
        for one in hooks.awaited(primary)
    ]


def _backing_off(case: ServiceCase, _: Census) -> Sequence[Wait]:
    known = case.state.service.backoff
    until = backoff.held_until(known, case.now)
    if until is None:
        return ()
    return [
        Wait(
            text=(
                f"{known.failures} starts failed in a row: the scheduler tries again at "
                f"{iso(until)}, in {length(between(case.now, until))}. Why they failed: moorage "
                f"explain deployment {case.state.primary.id}"
            ),
            until=until,
        )
    ]


def _pilot(case: ServiceCase, taken: Census) -> Sequence[Wait]:
    revision = case.state.revision
    missing = len(taken.staying) < case.state.service.desired_count
    if not missing or not pinning.waits_for_pilot(revision):
        return ()
    images = ", ".join(one.image for one in revision.images if one.consistent and not one.digest)
    return [
        Wait(
            text=(
                f"One task goes before the others, to learn which digest {images} means: all tasks "
                "of a deployment run the same."
            )
        )
    ]


def _held(case: ServiceCase, taken: Census) -> Sequence[Wait]:
    """Tasks on lost hosts that nothing takes the place of."""
    braked = next((one for one in case.freezes if one.cause == "brake"), None)
    found: list[Wait] = []
    for hold, hosts in taken.holds.items():
        until = taken.fenced_at if hold == "fence" else None
        if hold == "brake" and braked is not None:
            until = braked.until
        say = _HOLDS.get(hold, "they are not given up yet.")
        found.append(
            Wait(
                text=f"Its tasks on lost hosts ({shown(hosts)}) are not replaced: {say}",
                until=until,
            )
        )
    return found


def _pending(case: ServiceCase, taken: Census) -> Sequence[Wait]:
    found = [
        one
        for one in taken.staying
        if taken.standing(one) is Standing.NOT_RUNNING and one.connectivity == "CONNECTED"
    ]
    return _of_tasks(case, found, "Not running yet")


def _unsettled(case: ServiceCase, taken: Census) -> Sequence[Wait]:
    found = [one for one in taken.staying if taken.standing(one) is Standing.UNSETTLED]
    if not found:
        return ()
    checked = [one for one in found if one.has_health_check]
    settle = length(case.state.conditions.settle)
    why = (
        "its health check has not said yet that it is HEALTHY"
        if checked
        else f"without a health check a task counts once it has run for {settle}"
    )
    return [
        Wait(
            text=f"{wait.text.removesuffix('.')}: {why}.",
            until=None if checked else max(_settled_at(case, one) for one in found),
        )
        for wait in _of_tasks(case, found, "Running, and not counted as healthy yet")
    ]


def _settled_at(case: ServiceCase, task: Task) -> Instant:
    """When a task without a health check counts as healthy, if it runs on."""
    since = task.started_at if task.started_at is not None else task.created_at
    return later(since, case.state.conditions.settle)


def _stopping(case: ServiceCase, taken: Census) -> Sequence[Wait]:
    return _of_tasks(case, taken.stopping, "Told to stop, and not ended yet")


def _protected(case: ServiceCase, taken: Census) -> Sequence[Wait]:
    """Tasks that it no longer wants and may not stop."""
    found = protection.kept_back(case.state, taken, case.now)
    until = protection.ends_at(found, case.now)
    return [
        evolve(wait, until=until)
        for wait in _of_tasks(case, found, "To stop once their protection has ended")
    ]


def _moving(case: ServiceCase, _: Census) -> Sequence[Wait]:
    """Moves to other hosts, under way or to begin; the rebalancing is over some time after them."""
    known = case.state.service.rebalancing
    moves = relocation.under_way(case.state.tasks)
    named = [
        f"{task.id[:ID_LENGTH_SHOWN]} from {case.names.get(task.instance, '?')} to "
        f"{case.names.get(successor.instance, '?')}"
        for task, successor in sorted(moves, key=lambda pair: (pair[0].created_at, pair[0].arn))
    ]
    if not moves and not known.planned and known.since is None:
        return ()
    since = "" if known.since is None else f" since {iso(known.since)}"
    now = f"{tasks(len(moves))} now ({shown(named)}), start first" if moves else "no task now"
    then = f", and {tasks(len(known.planned))} next" if known.planned else ""
    return [Wait(text=f"It is being rebalanced{since}: {now}{then}.")]


def _leaving(case: ServiceCase, taken: Census) -> Sequence[Wait]:
    held = {one.arn for one in protection.kept_back(case.state, taken, case.now)}
    held |= {task.arn for task, _ in relocation.under_way(case.state.tasks)}
    leaving = [one for one in taken.leaving if one.arn not in held]
    minimum, maximum = percentages(case.state.service.deployment_configuration)
    bounds = f"within minimumHealthyPercent {minimum} and maximumPercent {maximum}"
    return [
        Wait(text=f"{wait.text.removesuffix('.')}, {bounds}.")
        for wait in _of_tasks(case, leaving, "To leave once others have taken their place")
    ]


def _kept(case: ServiceCase, taken: Census) -> Sequence[Wait]:
    """Tasks of a daemon on draining hosts."""
    what = "To stop on hosts that are being drained, once no other task is left there"
    return _of_tasks(case, taken.kept, what)


def _room(case: ServiceCase, _: Census) -> Sequence[Wait]:
    if not case.state.service.waits_for_room or case.room.takers:
        return ()
    if case.state.daemon is not None and not case.room.hosts:
        return ()  # no host lacks it
    if not case.room.providers:
        return [Wait(text=f"It waits for room. {case.room.sentence}")]
    pools = "What keeps a pool from growing, if anything does: moorage pool"
    return [Wait(text=f"It waits for room on {case.room.whose}. {case.room.sentence} {pools}")]


def _of_tasks(case: ServiceCase, found: Sequence[Task], what: str) -> list[Wait]:
    """One wait for some tasks, with a few of them by name and host."""
    if not found:
        return []
    ordered = sorted(found, key=lambda one: (one.created_at, one.arn))
    named = [
        f"{one.id[:ID_LENGTH_SHOWN]} on {case.names.get(one.instance, '?')}" for one in ordered
    ]
    return [Wait(text=f"{what}: {tasks(len(found))} ({shown(named)}).")]


def tasks(count: int) -> str:
    """`1 task`, `3 tasks`."""
    return "1 task" if count == 1 else f"{count} tasks"


_HOLDS: Mapping[str, str] = {
    "brake": (
        "too many hosts were lost at once, and what they run probably runs on. It goes on when "
        "hosts return, or for each host by: moorage host confirm-lost HOST"
    ),
    "wait": (
        "the service must not run a task too many. Bring the hosts back, or say which are gone for "
        "good: moorage host confirm-lost HOST"
    ),
    "fence": "their agents must have stopped them first, as the tag moorage:fence asks.",
    "unfenced": (
        "the service is tagged moorage:fence, and nobody fences them there. Bring the hosts back, "
        "or say which are gone for good: moorage host confirm-lost HOST"
    ),
}
_LOOKS: tuple[Callable[[ServiceCase, Census], Sequence[Wait]], ...] = (
    _frozen,
    _ending,
    _failed,
    _paused,
    _backing_off,
    _pilot,
    _held,
    _pending,
    _unsettled,
    _stopping,
    _protected,
    _moving,
    _leaving,
    _kept,
    _room,
)
