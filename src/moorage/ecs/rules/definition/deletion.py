"""Which task definitions can be deleted, with ECS's reasons for those that cannot.

DeleteTaskDefinitions in Amazon's model: a revision must be named, and deregistered before.
"""

from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.refusal import Refusal, invalid

DELETED_MAX = 10
INVALID = (
    "The specified task definition identifier is invalid. "
    "Specify a valid name or ARN and try again."
)
MISSING = (
    "The specified task definition does not exist. "
    "Specify a valid account, family, revision and try again."
)
ACTIVE = (
    "The specified task definition is still in ACTIVE status. "
    "Please deregister the target and try again."
)


def refuse_deletion(named: int) -> Refusal | None:
    """Why so many definitions cannot be deleted in one call, or None."""
    if not named:
        return invalid("Task definitions cannot be empty.")
    if named > DELETED_MAX:
        return invalid(f"Task definitions cannot have more than {DELETED_MAX} elements.")
    return None


def keeps(definition: TaskDefinition | None) -> str:
    """Why a definition that was named cannot be deleted; empty where it can, or is being deleted."""
    if definition is None:
        return MISSING
    return ACTIVE if definition.status == "ACTIVE" else ""
