"""What a task of this definition wants of a host: the bridge from shapes to placement."""

from collections.abc import Sequence

from moorage.ecs.rules.placement.constraint import Wants
from moorage.shapes.ecs.placement import PlacementConstraint
from moorage.shapes.ecs.task import TaskOverride
from moorage.shapes.ecs.task_definition import TaskDefinition


def wants_of(
    definition: TaskDefinition,
    group: str,
    constraints: Sequence[PlacementConstraint] = (),
    overrides: TaskOverride | None = None,
) -> Wants:
    """The wants of one task of a definition in normal form, with the constraints of the call."""
    raise NotImplementedError
