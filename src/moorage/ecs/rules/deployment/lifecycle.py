"""How a deployment goes from one lifecycle stage to the next, and where it waits.

RECONCILE_SERVICE (only where tasks of more than one other deployment run) and PRE_SCALE_UP come
before its first task: while it is paused there, another deployment is *current*, and its tasks are
kept and replaced as ever. SCALE_UP lasts until enough of its tasks are healthy. At POST_SCALE_UP it
may be paused again, and then as many old tasks as the percentages allow are still there to go back
to. In CLEAN_UP those that are left are removed. Without hooks, all this is passed in one look.
"""

from moorage.ecs.records.service import StartBackoff
from moorage.ecs.records.service_deployment import LifecycleStage, ServiceDeployment
from moorage.ecs.rules import events
from moorage.ecs.rules.deployment import early_success, hooks
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.status import REQUESTED, STAGES, following
from moorage.ground.record import evolve

_BEFORE_SCALE_UP = frozenset({"RECONCILE_SERVICE", "PRE_SCALE_UP"})


def is_under_way(deployment: ServiceDeployment) -> bool:
    """Whether a deployment still goes on: it has neither completed nor failed for good."""
    return deployment.rollout_state == "IN_PROGRESS" or deployment.stalled


def before_scale_up(deployment: ServiceDeployment) -> bool:
    """Whether none of the deployment's own tasks may be started yet."""
    return deployment.lifecycle_stage in _BEFORE_SCALE_UP


def is_unbegun(deployment: ServiceDeployment) -> bool:
    """Whether no task of the deployment was started yet."""
    return deployment.lifecycle_stage is None or before_scale_up(deployment)


def keeps_others(deployment: ServiceDeployment) -> bool:
    """Whether old tasks stay for as long as the percentages allow, to be gone back to."""
    return deployment.lifecycle_stage in {"SCALE_UP", "POST_SCALE_UP"} and hooks.has_hook(
        deployment, "POST_SCALE_UP"
    )


def may_complete(deployment: ServiceDeployment) -> bool:
    """Whether a deployment whose service is steady is done, or is done already."""
    if is_under_way(deployment):
        return deployment.lifecycle_stage == "CLEAN_UP"
    return deployment.rollout_state != "FAILED"


def succeeded_early(deployment: ServiceDeployment, census: Census, desired: int) -> bool:
    """Whether a deployment that is cleaning up has met its early success criteria."""
    cleaning = deployment.rollout_state == "IN_PROGRESS" and (
        deployment.lifecycle_stage == "CLEAN_UP"
    )
    return cleaning and early_success.succeeded(deployment, census, desired)


def step(ledger: Ledger, census: Census) -> None:
    """Let the primary pass every stage that is done with; say where it is paused.

    Hooks whose time is over end here; what ROLLBACK then means is the caller's to decide.
    """
    if not is_under_way(ledger.primary) or ledger.primary.status in REQUESTED:
        return
    ledger.put(hooks.timed_out(ledger.primary, ledger.now))
    if hooks.expired(ledger.primary) is not None:
        return
    for _ in STAGES.moves:
        stage = _next(ledger, census)
        if stage is None:
            return
        _enter(ledger, stage)


def source(ledger: Ledger) -> ServiceDeployment | None:
    """Which deployment's tasks are kept while the primary may not start any."""
    return max(
        ledger.olds,
        key=lambda one: (one.completed_before, one.created_at, one.id),
        default=None,
    )


def paused_reason(deployment: ServiceDeployment) -> str | None:
    """The rolloutStateReason of a deployment that waits at a hook, None of any other."""
    waiting = hooks.awaited(deployment)
    return events.rollout_paused(deployment.id, waiting[0]) if waiting else None


def _next(ledger: Ledger, census: Census) -> LifecycleStage | None:
    """The stage that the primary enters now, or None where it stays."""
    primary = ledger.primary
    stage = primary.lifecycle_stage
    if stage is None:
        others = sum(one.id in census.present for one in ledger.olds)
        return "RECONCILE_SERVICE" if others > 1 else "PRE_SCALE_UP"
    if hooks.awaited(primary) or (stage == "SCALE_UP" and not _is_scaled_up(ledger, census)):
        return None
    return following(stage)


def _enter(ledger: Ledger, stage: LifecycleStage) -> None:
    primary = evolve(ledger.primary, lifecycle_stage=stage)
    begun = hooks.begun(primary, stage, ledger.now)
    primary = evolve(primary, hooks=(*primary.hooks, *begun))
    kept = source(ledger) if before_scale_up(primary) and hooks.awaited(primary) else None
    if primary.keeps and kept is None:
        ledger.service = evolve(ledger.service, backoff=StartBackoff())
    ledger.put(evolve(primary, keeps=kept.id if kept else ""))
    for hook in begun:
        ledger.say(lambda service, hook=hook: events.paused(service, primary.id, hook))


def _is_scaled_up(ledger: Ledger, census: Census) -> bool:
    primary, desired = ledger.primary, ledger.service.desired_count
    own = [task for task in census.staying if task.deployment == primary.id]
    return census.healthy(own) >= early_success.goal(primary, desired)
