"""A task definition as it is read back."""

from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ground.instant import epoch, maybe_epoch
from moorage.ground.record import evolve
from moorage.shapes.ecs import task_definition as shapes


def view(definition: TaskDefinition) -> shapes.TaskDefinition:
    """The definition in its normal form, with what it was given when it was registered."""
    return evolve(
        definition.definition,
        task_definition_arn=definition.arn,
        family=definition.family,
        revision=definition.revision,
        status=definition.status,
        registered_at=epoch(definition.registered_at),
        deregistered_at=maybe_epoch(definition.deregistered_at),
        delete_requested_at=maybe_epoch(definition.delete_requested_at),
    )
