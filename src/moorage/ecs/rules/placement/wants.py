"""What a task of this definition wants of a host: the bridge from shapes to placement."""

from collections.abc import Sequence

from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.resources import needs
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
    all_constraints = [*(definition.placement_constraints or ()), *constraints]
    return Wants(
        needs=needs(definition, overrides),
        group=group,
        attributes=tuple(
            InstanceAttribute(name=one.name or "", value=one.value)
            for one in definition.requires_attributes or ()
        ),
        members=tuple(one.expression or "" for one in all_constraints if one.type == "memberOf"),
        host_network=definition.network_mode == "host",
        distinct=any(one.type == "distinctInstance" for one in constraints),
    )
