"""What happens to a deployment whose circuit breaker tripped: it fails, and perhaps goes back."""

from moorage.ecs.records.service import StartBackoff
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.rules import events
from moorage.ecs.rules.deployment.circuit_breaker import rolls_back
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ground.record import evolve

FAILED_REASON = "Service deployment failed: tasks failed to start."
ROLLBACK_REASON = (
    "Service deployment rolled back because the circuit breaker threshold was exceeded."
)


def fail(ledger: Ledger) -> None:
    """Fail the primary deployment; go back to the last one that was COMPLETED where it asks so.

    The deployment gone back to is the primary again, under its own id: its tasks stay.
    """
    failed = evolve(
        ledger.primary,
        rollout_state="FAILED",
        rollout_reason=events.rollout_failed(ledger.primary.id),
        breaker_triggered=True,
    )
    ledger.say(events.deployment_failed, failed.id)
    target = _target(ledger, failed) if rolls_back(failed) and not failed.rollback_of else None
    if target is None:
        _give_up(ledger, failed)
    else:
        _go_back(ledger, failed, target)


def _give_up(ledger: Ledger, failed: ServiceDeployment) -> None:
    if failed.status != "SUCCESSFUL":
        failed = evolve(
            failed, status="STOPPED", status_reason=FAILED_REASON, finished_at=ledger.now
        )
    ledger.put(failed)
    origin = ledger.find(failed.rollback_of)
    if origin is not None and origin.status == "ROLLBACK_IN_PROGRESS":
        ledger.put(evolve(origin, status="ROLLBACK_FAILED", finished_at=ledger.now))


def _go_back(ledger: Ledger, failed: ServiceDeployment, target: ServiceDeployment) -> None:
    ledger.put(
        evolve(
            failed,
            status="ROLLBACK_IN_PROGRESS",
            status_reason=ROLLBACK_REASON,
            rolled_back_to=target.id,
            rollback_started_at=ledger.now,
            rollback_reason=ROLLBACK_REASON,
        )
    )
    ledger.put(
        evolve(
            target,
            open=True,
            rollout_state="IN_PROGRESS",
            rollout_reason=events.rollout_rolling_back(target.id),
            rollback_of=failed.id,
            failed_tasks=0,
            last_failure_at=None,
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


def _target(ledger: Ledger, failed: ServiceDeployment) -> ServiceDeployment | None:
    completed = [one for one in ledger.deployments if one.completed_before and one.id != failed.id]
    return max(completed, key=lambda one: (one.created_at, one.id), default=None)
