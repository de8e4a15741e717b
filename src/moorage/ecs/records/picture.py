"""A picture: one service with all that an answer shows of it; gathered, never stored."""

from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.task import Task
from moorage.ground.record import Record


class Picture(Record):
    """One service with its open deployments (PRIMARY first, then newest first), live tasks and newest events."""

    service: Service
    deployments: tuple[ServiceDeployment, ...] = ()
    tasks: tuple[Task, ...] = ()
    events: tuple[ServiceEvent, ...] = ()
