"""What the tasks of a service want of their hosts: its definition's wants and the service's own."""

from moorage.acs.task_messages import CAPABILITY_OF_FENCING
from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.ecs.records.service import Service
from moorage.ecs.rules.host.avoidance import avoided
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.wants import wants_of
from moorage.ecs.rules.task.away import fences
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.shapes.ecs.task_definition import TaskDefinition


def wants_of_service(
    service: Service, definition: TaskDefinition, deployment: str, now: Instant
) -> Wants:
    """The wants of one more task of a service's `deployment` (its id), of this definition.

    Only hosts that can fence take what is tagged to be fenced; hosts on which tasks of this
    deployment failed again and again are avoided.
    """
    wants = wants_of(definition, f"service:{service.name}", service.placement_constraints)
    if fences(service.tags):
        able = InstanceAttribute(name=CAPABILITY_OF_FENCING)
        wants = evolve(wants, attributes=(*wants.attributes, able))
    return evolve(wants, avoided=avoided(service, deployment, now))
