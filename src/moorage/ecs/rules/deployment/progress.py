"""The progress deadline: a deployment that gets nowhere for too long fails, and says why.

It gets on when more of its tasks are healthy than ever before, or fewer tasks of other deployments
are left. Time counts while it scales up, and only where waiting is its own trouble: neither at a
hook, which has a timeout of its own, nor while the service is frozen, nor while tasks are held on
lost hosts or by their protection. ECS has no such deadline; without a circuit breaker it tries for ever, and so does Moorage,
once it has said that the deployment failed.
"""

from moorage.ecs.records.service_deployment import Progress, ServiceDeployment
from moorage.ecs.rules.deployment import early_success
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.protection import kept_back
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ground.instant import Duration, Instant, later, seconds
from moorage.ground.record import evolve

# A deadline below this many settling times would fail what does well.
SETTLINGS = 2


def observe(state: ServiceState, ledger: Ledger, census: Census) -> None:
    """Note how far the primary has come."""
    primary = ledger.primary
    if not state.conditions.progress_deadline or primary.rollout_state != "IN_PROGRESS":
        return
    desired = ledger.service.desired_count
    healthy = sum(
        task.deployment == primary.id and census.is_healthy(task) for task in census.staying
    )
    others = sum(
        task.deployment != primary.id
        for group in (census.leaving, census.stopping, census.away)
        for task in group
    )
    held = (
        primary.lifecycle_stage != "SCALE_UP"
        or bool(census.holds)
        or bool(kept_back(state, census, ledger.now))
        or healthy >= early_success.goal(primary, desired)
    )
    now = Progress(at=ledger.now, healthy=healthy, others=others, desired=desired, held=held)
    known = primary.progress
    if known is not None and known.desired == desired:
        now = _since(known, now)
    ledger.put(evolve(primary, progress=now))


def restart(ledger: Ledger) -> None:
    """Let the time count anew: the service was frozen until now."""
    known = ledger.primary.progress
    if known is not None:
        ledger.put(evolve(ledger.primary, progress=evolve(known, at=ledger.now)))


def deadline(state: ServiceState) -> Duration:
    """How long a deployment of the service may get nowhere; 0: for ever.

    Tasks take the settling time to become healthy, and those of a service with a grace period as
    long as that says.
    """
    conditions, grace = state.conditions, state.service.health_check_grace_period_seconds
    if not conditions.progress_deadline:
        return Duration(0)
    least = max(conditions.progress_deadline, SETTLINGS * conditions.settle)
    return Duration(least + seconds(grace))


def due_at(state: ServiceState, deployment: ServiceDeployment) -> Instant | None:
    """When a deployment fails unless it gets on; None where no time counts."""
    known, length = deployment.progress, deadline(state)
    if deployment.rollout_state != "IN_PROGRESS" or known is None or known.held or not length:
        return None
    return later(known.at, length)


def _since(known: Progress, now: Progress) -> Progress:
    """What is known after one more look: the best so far, and since when."""
    if known.held and not now.held:
        return now
    got_on = now.healthy > known.healthy or now.others < known.others
    return evolve(
        now,
        at=now.at if got_on else known.at,
        healthy=max(now.healthy, known.healthy),
        others=min(now.others, known.others),
    )
