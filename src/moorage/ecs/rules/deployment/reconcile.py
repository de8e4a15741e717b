"""The one question of a service: what should be done, given this state and this time."""

from collections.abc import Sequence

from moorage.ecs.records.service import StartBackoff
from moorage.ecs.records.task import Task
from moorage.ecs.rules import events
from moorage.ecs.rules.deployment import backoff, census, freezing, pinning, steady_state
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.circuit_breaker import UNHEALTHY_REASON, counted, tripped
from moorage.ecs.rules.deployment.health import Standing
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.moves import Gates, Moves
from moorage.ecs.rules.deployment.reasons import say_holds, say_kept, say_tags
from moorage.ecs.rules.deployment.rollback import fail
from moorage.ecs.rules.deployment.state import (
    Plan,
    ServiceState,
    StartOrder,
    StopOrder,
    soonest,
)
from moorage.ecs.rules.deployment.strategies import move_rule
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ground.instant import Instant
from moorage.ground.record import evolve

STOP_CODE = "ServiceSchedulerInitiated"
WRITTEN_OFF_REASON = "The host of the task was confirmed lost"


def reconcile(state: ServiceState, now: Instant, view: ClusterView | None = None) -> Plan:
    """What this service should do now.

    Level, not edge: done and asked again, it answers nothing. Never stops healthy tasks below
    the minimum, never starts above the maximum. `view` helps binpack choose what to stop.
    """
    if state.service.status == "INACTIVE":
        return Plan(judged=_unjudged(state))
    if state.freeze is not None:
        ledger = Ledger(state, now)
        freezing.keep_frozen(ledger, state.freeze)
        return _plan(state, ledger, look_again=state.freeze.until)
    if state.service.status == "DRAINING":
        return _ended(state, now)
    ledger = Ledger(state, now)
    freezing.thaw(ledger)
    _begin(ledger)
    taken = census.take(state, now)
    _count_failures(state, ledger, taken)
    if tripped(ledger.primary, state.service.desired_count):
        fail(ledger)
    if ledger.primary.id != state.service.deployment:
        # Gone back to another deployment: its tasks and its revision are looked at next.
        return _plan(state, ledger, look_again=now)
    revision = pinning.learn(state.revision, _of_current(state), now)
    moves = move_rule(state.service)
    moved = moves(state, taken, _gates(state, ledger, revision is not None), now, view)
    _conclude(state, ledger, taken, moved)
    return evolve(
        _plan(state, ledger, look_again=_look_again(state, ledger, taken)),
        start=(StartOrder(deployment=state.current.id, count=moved.start),) if moved.start else (),
        stop=_orders(state, taken, moved),
        relies_on=moved.relies_on,
        kept_by_drain=tuple(sorted({state.host(task).name for task in moved.kept})),
        revision=revision,
    )


def _begin(ledger: Ledger) -> None:
    """A deployment that is looked at for the first time begins; its desired count follows."""
    primary = ledger.primary
    if primary.status == "PENDING":
        primary = evolve(primary, status="IN_PROGRESS", started_at=ledger.now)
    ledger.put(evolve(primary, desired_count=ledger.service.desired_count))


def _count_failures(state: ServiceState, ledger: Ledger, taken: Census) -> None:
    """Judge the tasks that stopped since last time, for the back-off and the breaker."""
    primary, known = ledger.primary, state.service.backoff
    if known.last_at is not None and known.last_at < primary.created_at:
        known = StartBackoff()
    mine = _of_current(state)
    after = backoff.next_backoff(known, mine, state.conditions, ledger.now)
    ledger.service = evolve(ledger.service, backoff=after)
    stopped = [task for task in mine if task.is_stopped and not task.judged]
    healthy = [task for task in taken.staying if taken.standing(task) is Standing.HEALTHY]
    primary = counted(primary, stopped, healthy, state.conditions, ledger.now)
    if primary.rollout_state == "IN_PROGRESS" and not primary.rollback_of:
        primary = evolve(primary, rollout_reason=_reason(primary.id, after, ledger.now))
    ledger.put(primary)
    if after.failures >= backoff.FAILURES_SAID and after != known:
        ledger.say(events.inconsistent)


def _reason(deployment: str, known: StartBackoff, now: Instant) -> str:
    until = backoff.held_until(known, now)
    return events.rollout_in_progress(deployment, known.failures, until)


def _gates(state: ServiceState, ledger: Ledger, pinned: bool) -> Gates:  # noqa: FBT001
    """What holds starts back: a failed deployment, the back-off, a pilot that goes before."""
    if ledger.primary.rollout_state == "FAILED":
        return Gates(frozen=True)
    if backoff.held_until(ledger.service.backoff, ledger.now) is not None:
        return Gates(most=0)
    if pinned or not pinning.waits_for_pilot(state.revision):
        return Gates()
    under_way = any(
        task.desired_status == "RUNNING" and not task.is_stopped for task in _of_current(state)
    )
    return Gates(most=0 if under_way else 1)


def _conclude(state: ServiceState, ledger: Ledger, taken: Census, moved: Moves) -> None:
    """Say what happens, and close what is done."""
    if moved.stop:
        for task in moved.stop:
            if _failed_checks(state, taken, task):
                ledger.say(events.unhealthy, task.id)
        ledger.events.append(events.stopped(state.service.name, [task.id for task in moved.stop]))
    say_tags(ledger)
    say_holds(state, ledger, taken)
    if moved.stuck and not say_kept(state, ledger, taken, moved.kept):
        ledger.say(events.stuck)
    steady_state.close_olds(ledger, taken)
    failed = ledger.primary.rollout_state == "FAILED"
    quiet = not moved.start and not moved.stop and not failed
    if quiet and steady_state.is_steady(taken, state.service.desired_count):
        steady_state.settle(ledger, state.conditions)
    else:
        steady_state.unsettle(ledger)


def _orders(state: ServiceState, taken: Census, moved: Moves) -> tuple[StopOrder, ...]:
    return tuple(
        StopOrder(task=task.arn, code=STOP_CODE, reason=_why(state, taken, task))
        for task in (*moved.stop, *taken.abandoned)
    )


def _why(state: ServiceState, taken: Census, task: Task) -> str:
    """The reason that a task which is stopped will show."""
    if state.host(task).confirmed_at is not None:
        return WRITTEN_OFF_REASON
    if _failed_checks(state, taken, task):
        return UNHEALTHY_REASON
    return f"Scaling activity initiated by (deployment {state.service.deployment})"


def _failed_checks(state: ServiceState, taken: Census, task: Task) -> bool:
    """Whether a task of the newest deployment is stopped because of its health checks."""
    mine = task.deployment == state.current.id
    return mine and taken.standing(task) is Standing.UNHEALTHY


def _ended(state: ServiceState, now: Instant) -> Plan:
    """A deleted service: everything stops, and it is INACTIVE once nothing reachable is left."""
    ledger = Ledger(state, now)
    freezing.thaw(ledger)
    wanted = [
        task for task in state.tasks if not task.is_stopped and task.desired_status == "RUNNING"
    ]
    reason = f"Scaling activity initiated by (deployment {state.service.deployment})"
    if wanted:
        ledger.events.append(events.stopped(state.service.name, [task.id for task in wanted]))
    elif not any(not task.is_stopped and task.connectivity == "CONNECTED" for task in state.tasks):
        ledger.service = evolve(ledger.service, status="INACTIVE")
        for deployment in ledger.deployments:
            under_way = deployment.status in {"PENDING", "IN_PROGRESS"}
            ended = (
                evolve(deployment, status="STOPPED", finished_at=now) if under_way else deployment
            )
            ledger.put(evolve(ended, open=False))
    orders = tuple(StopOrder(task=task.arn, code=STOP_CODE, reason=reason) for task in wanted)
    return evolve(_plan(state, ledger, look_again=None), stop=orders)


def _look_again(state: ServiceState, ledger: Ledger, taken: Census) -> Instant | None:
    """When time alone may change the answer."""
    return soonest(
        [
            taken.changes_at,
            backoff.held_until(ledger.service.backoff, ledger.now),
            steady_state.steady_again_at(ledger.service.steady_at, state.conditions),
        ]
    )


def _plan(state: ServiceState, ledger: Ledger, look_again: Instant | None) -> Plan:
    return Plan(
        service=ledger.changed_service(),
        deployments=ledger.changed_deployments(),
        judged=_unjudged(state),
        events=tuple(ledger.events),
        look_again=look_again,
    )


def _unjudged(state: ServiceState) -> tuple[str, ...]:
    return tuple(task.arn for task in state.tasks if task.is_stopped and not task.judged)


def _of_current(state: ServiceState) -> Sequence[Task]:
    current = state.current.id
    return [task for task in state.tasks if task.deployment == current]
