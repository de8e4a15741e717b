"""Who still needs a task definition: tasks that run it, services that could start it again."""

from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.store import clusters, service_deployments, services, tasks
from moorage.sql.transaction import Transaction


def is_used(tx: Transaction, definition: TaskDefinition) -> bool:
    """Whether a task that is not STOPPED runs it, or a service that is not INACTIVE may start it.

    A service may start what stands in its `deployments[]`, and what a rollback would go back to.
    """
    if tasks.runs_definition(
        tx, clusters.active_arns(tx, definition), definition.family, definition.arn
    ):
        return True
    brought_out = service_deployments.of_definition(tx, definition.arn)
    known = services.named(tx, sorted({one.service for one in brought_out}))
    live = {arn for arn, service in known.items() if service.status in services.LIVE}
    return any(_may_start(tx, one) for one in brought_out if one.service in live)


def _may_start(tx: Transaction, deployment: ServiceDeployment) -> bool:
    if deployment.open:
        return True
    if not deployment.completed_before:
        return False
    completed = service_deployments.last_completed(tx, deployment.service)
    return completed is not None and completed.arn == deployment.arn
