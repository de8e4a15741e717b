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
from moorage.ecs.rules.deployment.state import Conditions, ServiceState
from moorage.ground.instant import Instant, later
from moorage.ground.record import evolve


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


def due_at(deployment: ServiceDeployment, conditions: Conditions) -> Instant | None:
    """When a deployment fails unless it gets on; None where no time counts."""
    known = deployment.progress
    counts = deployment.rollout_state == "IN_PROGRESS" and known is not None and not known.held
    if not counts or known is None or not conditions.progress_deadline:
        return None
    return later(known.at, conditions.progress_deadline)


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
