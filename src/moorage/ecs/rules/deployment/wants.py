"""What the tasks of a service want of their hosts: its definition's wants and the service's own."""

from collections.abc import Iterable, Sequence

from moorage.acs.task_messages import CAPABILITY_OF_FENCING
from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.ecs.records.service import Service
from moorage.ecs.rules.host.avoidance import avoided
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.wants import wants_of
from moorage.ecs.rules.task.away import fences
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.shapes.ecs.placement import PlacementConstraint
from moorage.shapes.ecs.tag import Tag
from moorage.shapes.ecs.task_definition import TaskDefinition


def wants_of_service(
    service: Service, definition: TaskDefinition, deployment: str, now: Instant
) -> Wants:
    """The wants of one more task of a service's `deployment` (its id), of this definition.

    Hosts on which tasks of this deployment failed again and again are avoided.
    """
    wants = wants_of_tagged(service.name, definition, service.placement_constraints, service.tags)
    return evolve(wants, avoided=avoided(service, deployment, now))


def wants_of_tagged(
    service: str,
    definition: TaskDefinition,
    constraints: Sequence[PlacementConstraint],
    tags: Iterable[Tag],
) -> Wants:
    """The wants of a task of the service of that name and these tags, perhaps not made yet.

    Only hosts that can fence take what is tagged to be fenced.
    """
    wants = wants_of(definition, f"service:{service}", constraints)
    if not fences(tags):
        return wants
    able = InstanceAttribute(name=CAPABILITY_OF_FENCING)
    return evolve(wants, attributes=(*wants.attributes, able))
