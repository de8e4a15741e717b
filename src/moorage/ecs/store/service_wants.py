"""What the next task of a service asks of its host, whoever asks: placement, pools, explanations.

That is a task of the current deployment: while an update is paused before its first task, or was
stopped there, the one before it is kept, and it is that one's tasks that are replaced. And what a
task of nobody asks that waits for room.
"""

from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.state import current_of
from moorage.ecs.rules.deployment.wants import wants_of_service
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.wants import wants_of
from moorage.ecs.store import service_deployments, task_definitions
from moorage.sql.transaction import Transaction


def wanted(tx: Transaction, service: Service) -> Wants:
    """What one more task of a service's current deployment wants of its host."""
    deployment, text = service.deployment, service.task_definition
    if service.status == "ACTIVE" and service.steady_at is None:  # a steady one keeps no other's
        current = current_of(service, service_deployments.open_of_service(tx, service.arn))
        deployment, text = current.id, current.task_definition
    definition = task_definitions.needed(tx, service, text)
    return wants_of_service(service, definition.definition, deployment, tx.now)


def wanted_by(tx: Transaction, task: Task) -> Wants:
    """What a task that waits for room (PROVISIONING) wants of its host."""
    assert task.provisioning is not None, "only what waits wants a host"
    definition = task_definitions.needed(tx, task, task.task_definition)
    constraints = task.provisioning.placement_constraints
    return wants_of(definition.definition, task.group, constraints, task.overrides)
