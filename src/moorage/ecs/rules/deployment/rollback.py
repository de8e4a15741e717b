"""What happens to a deployment that ends before it is done: it fails, and perhaps goes back."""

from moorage.ecs.records.service import StartBackoff
from moorage.ecs.records.service_deployment import DeploymentStatus, ServiceDeployment
from moorage.ecs.rules import events
from moorage.ecs.rules.deployment import hooks, lifecycle
from moorage.ecs.rules.deployment.causes import Cause
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ground.record import evolve

NOWHERE_REASON = "No deployment of the service has completed that it could go back to."


def fail(ledger: Ledger, cause: Cause) -> None:
    """Fail the primary deployment; go back to the last one that was COMPLETED where it should.

    The deployment gone back to is the primary again, under its own id: its tasks stay.
    """
    failed = evolve(
        hooks.abandoned(ledger.primary),
        rollout_state="FAILED",
        rollout_reason=events.rollout_failed(ledger.primary.id, cause.why),
        breaker_triggered=ledger.primary.breaker_triggered or cause.breaker,
        stalled=cause.goes_on,
    )
    ledger.say(events.deployment_failed, failed.id, cause.why)
    target = None
    if cause.goes_back and not failed.rollback_of:
        target = rollback_target(ledger.deployments, failed)
    if target is None:
        _give_up(ledger, failed, cause)
    else:
        _go_back(ledger, failed, target, cause)


def rollback_target(
    deployments: list[ServiceDeployment], failed: ServiceDeployment
) -> ServiceDeployment | None:
    """Where a deployment would go back to: the newest other one that was COMPLETED once."""
    completed = [one for one in deployments if one.completed_before and one.id != failed.id]
    return max(completed, key=lambda one: (one.created_at, one.id), default=None)


def _give_up(ledger: Ledger, failed: ServiceDeployment, cause: Cause) -> None:
    if failed.status != "SUCCESSFUL":
        status: DeploymentStatus = "ROLLBACK_FAILED" if cause.asked else "STOPPED"
        reason = f"{cause.reason} {NOWHERE_REASON}" if cause.asked else cause.reason
        failed = evolve(failed, status=status, status_reason=reason, finished_at=ledger.now)
    ledger.put(failed)
    for origin in ledger.going_back_to(failed):
        ledger.put(evolve(origin, status="ROLLBACK_FAILED", finished_at=ledger.now))
    if lifecycle.is_unbegun(failed):
        kept = lifecycle.source(ledger)
        ledger.put(evolve(ledger.primary, keeps=kept.id if kept else ""))


def _go_back(
    ledger: Ledger, failed: ServiceDeployment, target: ServiceDeployment, cause: Cause
) -> None:
    ledger.put(
        evolve(
            failed,
            status="ROLLBACK_IN_PROGRESS",
            status_reason=cause.rollback_reason,
            stalled=False,
            keeps="",
            rolled_back_to=target.id,
            rollback_started_at=ledger.now,
            rollback_reason=cause.rollback_reason,
        )
    )
    ledger.put(
        evolve(
            target,
            open=True,
            rollout_state="IN_PROGRESS",
            rollout_reason=events.rollout_rolling_back(target.id, cause.by),
            rollback_of=failed.id,
            failed_tasks=0,
            last_failure_at=None,
            lifecycle_stage="SCALE_UP",
            progress=None,
            stalled=False,
            desired_count=ledger.service.desired_count,
        )
    )
    ledger.service = evolve(
        ledger.service,
        deployment=target.id,
        task_definition=target.task_definition,
        backoff=StartBackoff(),
    )
    ledger.say(events.rolling_back, target.id)
