"""The one question of a service: what should be done, given this state and this time."""

from collections.abc import Sequence

from moorage.ecs.records.service import StartBackoff
from moorage.ecs.records.task import Task
from moorage.ecs.rules import events
from moorage.ecs.rules.deployment import (
    backoff,
    freezing,
    hooks,
    lifecycle,
    pinning,
    progress,
    protection,
    relocation,
    steady_state,
)
from moorage.ecs.rules.deployment.causes import cause_of
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.circuit_breaker import UNHEALTHY_REASON, counted
from moorage.ecs.rules.deployment.gates import gates_of
from moorage.ecs.rules.deployment.health import Standing
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.moves import Moves
from moorage.ecs.rules.deployment.reasons import (
    say_avoided,
    say_holds,
    say_kept,
    say_protected,
    say_tags,
)
from moorage.ecs.rules.deployment.rollback import fail
from moorage.ecs.rules.deployment.state import (
    Plan,
    ServiceState,
    StartOrder,
    StopOrder,
    soonest,
)
from moorage.ecs.rules.deployment.status import ONGOING
from moorage.ecs.rules.deployment.strategies import aimed, census_of, move_rule
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
    state = aimed(state, ledger)
    _begin(ledger)
    taken = census_of(state, now)
    _count_failures(state, ledger, taken)
    relocation.observe(state, ledger, taken.standings)
    lifecycle.step(ledger, taken)
    progress.observe(state, ledger, taken)
    cause = cause_of(state, ledger.primary, taken, now)
    if cause is not None:
        fail(ledger, cause)
    _word(ledger)
    if (ledger.primary.id, ledger.current.id) != (state.primary.id, state.current.id):
        # Another deployment is looked at next: its stages, its tasks and its revision.
        return _plan(state, ledger, look_again=now)
    mine = _of_current(state)
    revision = pinning.learn(state.revision, mine, now)
    gates = gates_of(state, ledger, taken, pinned=revision is not None)
    moved = move_rule(state.service)(state, taken, gates, now, view)
    _conclude(state, ledger, taken, moved)
    return evolve(
        _plan(state, ledger, look_again=_look_again(state, ledger, taken)),
        start=(StartOrder(deployment=state.current.id, count=moved.start),) if moved.start else (),
        stop=_orders(state, taken, moved),
        relies_on=moved.relies_on,
        kept_by_drain=tuple(sorted({state.host(task).name for task in moved.kept})),
        revision=revision,
        placed=moved.placed,
        awaits_tasks=moved.awaits_tasks,
        unlinked=tuple(
            task.arn for task in relocation.settled(taken.staying, state.service.desired_count)
        ),
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
    say_avoided(state, ledger, stopped)
    if state.current.id == primary.id:
        # What is kept while the primary is paused speaks neither for it nor against it.
        healthy = [task for task in taken.staying if taken.standing(task) is Standing.HEALTHY]
        primary = counted(primary, stopped, healthy, state.conditions, ledger.now)
    ledger.put(primary)
    if after.failures >= backoff.FAILURES_SAID and after != known:
        ledger.say(events.inconsistent)


def _word(ledger: Ledger) -> None:
    """Say in the deployment itself where it stands: on its way, paused, or when the next try is."""
    primary, known = ledger.primary, ledger.service.backoff
    if primary.rollout_state == "IN_PROGRESS" and not primary.rollback_of:
        until = backoff.held_until(known, ledger.now)
        reason = events.rollout_in_progress(primary.id, known.failures, until)
        ledger.put(evolve(primary, rollout_reason=lifecycle.paused_reason(primary) or reason))


def _conclude(state: ServiceState, ledger: Ledger, taken: Census, moved: Moves) -> None:
    """Say what happens, and close what is done."""
    if moved.stop:
        for task in moved.stop:
            if _failed_checks(state, taken, task):
                ledger.say(events.unhealthy, task.id)
        ledger.events += relocation.say_stopped(state, taken.standings, moved.stop)
    say_tags(ledger)
    say_holds(state, ledger, taken)
    say_protected(state, ledger, taken)
    if moved.stuck and not say_kept(state, ledger, taken, moved.kept):
        ledger.say(events.stuck)
    desired = state.service.desired_count
    quiet = not moved.start and not moved.stop and lifecycle.may_complete(ledger.primary)
    steady = quiet and steady_state.is_steady(taken, desired)
    if steady or lifecycle.succeeded_early(ledger.primary, taken, desired):
        steady_state.complete(ledger)
    if steady:
        steady_state.settle(ledger, state.conditions)
    else:
        steady_state.unsettle(ledger)
    steady_state.close_olds(ledger, taken)


def _orders(state: ServiceState, taken: Census, moved: Moves) -> tuple[StopOrder, ...]:
    heirs = relocation.successors(state, taken.standings)
    return tuple(
        StopOrder(
            task=task.arn, code=STOP_CODE, reason=_why(state, taken, task, heirs.get(task.arn))
        )
        for task in (*moved.stop, *taken.abandoned)
    )


def _why(state: ServiceState, taken: Census, task: Task, successor: Task | None) -> str:
    """The reason that a task which is stopped will show."""
    if state.host(task).confirmed_at is not None:
        return WRITTEN_OFF_REASON
    if _failed_checks(state, taken, task):
        return UNHEALTHY_REASON
    moved = relocation.reason(state, successor)
    if moved is not None:
        return moved
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
    if not any(not task.is_stopped and task.connectivity == "CONNECTED" for task in state.tasks):
        ledger.service = evolve(ledger.service, status="INACTIVE")
        for deployment in ledger.deployments:
            ended = hooks.abandoned(deployment)
            if deployment.status in ONGOING:
                ended = evolve(ended, status="STOPPED", finished_at=now)
            elif deployment.status == "ROLLBACK_IN_PROGRESS":
                ended = evolve(ended, status="ROLLBACK_FAILED", finished_at=now)
            ledger.put(evolve(ended, open=False))
    orders = tuple(StopOrder(task=task.arn, code=STOP_CODE, reason=reason) for task in wanted)
    return evolve(_plan(state, ledger, look_again=None), stop=orders)


def _look_again(state: ServiceState, ledger: Ledger, taken: Census) -> Instant | None:
    """When time alone may change the answer."""
    return soonest(
        [
            taken.changes_at,
            backoff.held_until(ledger.service.backoff, ledger.now),
            progress.due_at(state, ledger.primary),
            *(hook.expires_at for hook in hooks.awaited(ledger.primary)),
            protection.ends_at(state.tasks, ledger.now),
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
