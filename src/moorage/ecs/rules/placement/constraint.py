"""Why a host cannot take a task: cheap checks first, each with the reason that ECS gives."""

from typing import Literal

from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.view import HostLoad
from moorage.ground.record import Record

Reason = Literal[
    "DRAINING",
    "AGENT",
    "ATTRIBUTE",
    "MemberOf placement constraint unsatisfied.",
    "DistinctInstance placement constraint unsatisfied.",
    "RESOURCE:GPU",
    "RESOURCE:CPU",
    "RESOURCE:MEMORY",
    "RESOURCE:PORTS",
]


class Obstacle(Record):
    """The first reason for which a host cannot take a task; `detail` names what is missing."""

    reason: Reason
    detail: str = ""


class Wants(Record):
    """What one task of a batch asks of its host.

    `members` are the expressions of all memberOf constraints, of the definition and of the call.
    `group` is the task group (`family:X`, `service:X`) within which `distinct` holds and by which
    strategies count.
    """

    needs: Resources
    group: str
    attributes: tuple[InstanceAttribute, ...] = ()
    members: tuple[str, ...] = ()
    distinct: bool = False


def obstacle(wants: Wants, host: HostLoad) -> Obstacle | None:
    """Why this host cannot take one such task now, or None where it can."""
    raise NotImplementedError
