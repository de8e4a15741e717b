"""Has a deployment failed? Counts its failed tasks in a row against a threshold.

A task fails that never ran or ran too short a time (as for the back-off), or that was stopped
because of its health checks. Where `resetOnHealthyTask` is not false, a task that was started
after the last failure and is healthy ends the row.
"""

from collections.abc import Iterable

from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.backoff import failed_to_start
from moorage.ecs.rules.deployment.state import Conditions
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration

UNHEALTHY_REASON = "Task failed container health checks"
# DeploymentCircuitBreaker: 50 % of the desired count, not below 3 nor above 200.
PERCENT_DEFAULT = 50
BOUNDS = (3, 200)
_WHOLE = 100


def threshold(desired: int, configuration: DeploymentConfiguration) -> int | None:
    """After how many failed tasks in a row a deployment fails; None where the breaker is off."""
    breaker = configuration.deployment_circuit_breaker
    if breaker is None or not breaker.enable:
        return None
    asked = breaker.threshold_configuration
    kind = (asked.type if asked else None) or "BOUNDED_PERCENT"
    value = asked.value if asked and asked.value is not None else PERCENT_DEFAULT
    if kind == "COUNT":
        return max(1, value)
    share = -(-desired * value // _WHOLE)
    if kind == "UNBOUNDED_PERCENT":
        return max(1, share)
    low, high = BOUNDS
    return max(low, min(high, share))


def counted(
    deployment: ServiceDeployment,
    tasks: Iterable[Task],
    healthy: Iterable[Task],
    conditions: Conditions,
    now: Instant,
) -> ServiceDeployment:
    """The deployment with its failed tasks counted.

    `tasks` are its STOPPED ones that are not judged yet, `healthy` those that do well.
    """
    failures = sum(_failed(task, conditions) for task in tasks)
    if failures:
        return evolve(
            deployment, failed_tasks=deployment.failed_tasks + failures, last_failure_at=now
        )
    since = deployment.last_failure_at
    if since is None or not deployment.failed_tasks or not _resets(deployment):
        return deployment
    if any(task.created_at >= since for task in healthy):
        return evolve(deployment, failed_tasks=0)
    return deployment


def tripped(deployment: ServiceDeployment, desired: int) -> bool:
    """Whether a deployment that is under way has failed."""
    limit = threshold(desired, deployment.deployment_configuration)
    under_way = deployment.rollout_state == "IN_PROGRESS"
    return limit is not None and under_way and deployment.failed_tasks >= limit


def rolls_back(deployment: ServiceDeployment) -> bool:
    """Whether a failed deployment asks for the one before it."""
    breaker = deployment.deployment_configuration.deployment_circuit_breaker
    return breaker is not None and bool(breaker.rollback)


def _failed(task: Task, conditions: Conditions) -> bool:
    return failed_to_start(task, conditions) or task.stopped_reason == UNHEALTHY_REASON


def _resets(deployment: ServiceDeployment) -> bool:
    breaker = deployment.deployment_configuration.deployment_circuit_breaker
    return breaker is None or breaker.reset_on_healthy_task is not False
