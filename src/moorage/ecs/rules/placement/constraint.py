"""Why a host cannot take a task: cheap checks first, each with the reason that ECS gives."""

from collections.abc import Callable, Mapping
from typing import Literal

from moorage.ecs.records.container_instance import ContainerInstance, InstanceAttribute
from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.expression import Rejection, follows_tasks, holds, parse
from moorage.ecs.rules.placement.ports import clash
from moorage.ecs.rules.placement.view import HostLoad
from moorage.ground.instant import Duration, seconds
from moorage.ground.record import Record

# How often constraints that look at other tasks are asked again: a start wakes nobody.
FOLLOW_LOOK: Duration = seconds(15)

Reason = Literal[
    "DRAINING",
    "AGENT",
    "AVOIDED",
    "ATTRIBUTE",
    "MemberOf placement constraint unsatisfied.",
    "DistinctInstance placement constraint unsatisfied.",
    "RESOURCE:GPU",
    "RESOURCE:CPU",
    "RESOURCE:MEMORY",
    "RESOURCE:PORTS",
]


# ECS's reason for all of them is AGENT; the detail says more.
_OUT_OF_REACH: tuple[tuple[Callable[[ContainerInstance], bool], str], ...] = (
    (
        lambda one: one.engine_gone_at is not None,
        "The container engine of the host is gone.",
    ),
    (
        lambda one: one.runtime_status == "IMPAIRED",
        "The host is impaired: a container there cannot be ended, or its agent cannot write.",
    ),
    (lambda one: one.lost_at is not None, "The container instance is lost."),
    (lambda one: not one.connected, "The agent is not connected."),
    (lambda one: one.suspect, "Nothing has been heard of the agent for a while."),
    (
        # Its controller clears it when the time is over.
        lambda one: one.flapping_until is not None,
        "The container instance is flapping: it was lost twice within a short time.",
    ),
)

# What a host declares that is one of several on the same engine.
SHARED_ENGINE = "moorage.shared-engine"


class Obstacle(Record):
    """The first reason for which a host cannot take a task; `detail` names what is missing."""

    reason: Reason
    detail: str = ""


class Wants(Record):
    """What one task of a batch asks of its host.

    `members` are the expressions of all memberOf constraints, of the definition and of the call.
    `group` is the task group (`family:X`, `service:X`) within which `distinct` holds and by which
    strategies count. `host_network`: the task runs in the network of the host itself, which hosts
    that share one engine cannot tell apart. `avoided` are ARNs of hosts that are not to be taken,
    each with the reason (`rules.host.avoidance`).
    """

    needs: Resources
    group: str
    attributes: tuple[InstanceAttribute, ...] = ()
    members: tuple[str, ...] = ()
    distinct: bool = False
    host_network: bool = False
    avoided: Mapping[str, str] = {}


def obstacle(wants: Wants, host: HostLoad) -> Obstacle | None:
    """Why this host cannot take one such task now, or None where it can.

    The order is that of the checks in ECS: the host itself, attributes, constraints, resources.
    """
    return (
        unavailable(host)
        or _avoided(wants, host)
        or _lacking(wants, host)
        or further_obstacle(wants, host)
    )


def follows(wants: Wants) -> bool:
    """Whether its constraints look at the tasks of hosts, so that these may change the answer."""
    return any(map(follows_tasks, wants.members))


def mismatch(wants: Wants, host: HostLoad) -> Obstacle | None:
    """Why such a task does not belong on this host, whatever room there is now, or None."""
    return _lacking(wants, host) or _constrained(wants, host)


def further_obstacle(wants: Wants, host: HostLoad) -> Obstacle | None:
    """Why a host that could take such a task cannot take another, or None where it can.

    Whether it is available, and its attributes, do not change by a task that is placed on it.
    """
    return _constrained(wants, host) or _insufficient(wants.needs, host)


def unavailable(host: HostLoad) -> Obstacle | None:
    """Why this host takes no task at all now, or None where it does."""
    instance = host.instance
    if instance.status != "ACTIVE":
        return Obstacle(reason="DRAINING", detail="The container instance is being drained.")
    for is_so, why in _OUT_OF_REACH:
        if is_so(instance):
            return Obstacle(reason="AGENT", detail=why)
    return None


def _avoided(wants: Wants, host: HostLoad) -> Obstacle | None:
    why = wants.avoided.get(host.instance.arn)
    return None if why is None else Obstacle(reason="AVOIDED", detail=why)


def _lacking(wants: Wants, host: HostLoad) -> Obstacle | None:
    for wanted in wants.attributes:
        has = host.attributes.get(wanted.name)
        if has is None or (wanted.value is not None and wanted.value != has):
            return Obstacle(reason="ATTRIBUTE", detail=wanted.name)
    if wants.host_network and SHARED_ENGINE in host.attributes:
        return Obstacle(
            reason="ATTRIBUTE",
            detail="networkMode host, on a host that shares its engine with others",
        )
    return None


def _constrained(wants: Wants, host: HostLoad) -> Obstacle | None:
    for text in wants.members:
        expression = parse(text)
        if isinstance(expression, Rejection) or not holds(expression, host):
            return Obstacle(reason="MemberOf placement constraint unsatisfied.", detail=text)
    if wants.distinct and host.groups.get(wants.group):
        return Obstacle(
            reason="DistinctInstance placement constraint unsatisfied.", detail=wants.group
        )
    return None


def _insufficient(needs: Resources, host: HostLoad) -> Obstacle | None:
    """What a host has not enough of for such a task, or None where it has room.

    Less than none of its GPUs may be left, where one is kept for a daemon that is still to come.
    """
    if needs.gpus and needs.gpus > host.gpus:
        return Obstacle(reason="RESOURCE:GPU", detail=_lack(needs.gpus, host.gpus, host))
    if needs.cpu > host.cpu:
        return Obstacle(reason="RESOURCE:CPU", detail=_lack(needs.cpu, host.cpu, host))
    if needs.memory > host.memory:
        lack = _lack(needs.memory, host.memory, host)
        return Obstacle(reason="RESOURCE:MEMORY", detail=lack)
    taken = clash(needs, host) if needs.ports or needs.ports_udp else ""
    return Obstacle(reason="RESOURCE:PORTS", detail=taken) if taken else None


def _lack(wanted: int, left: int, host: HostLoad) -> str:
    said = f"{wanted} wanted, {max(left, 0)} left"
    kept_for = ", ".join(group.partition(":")[2] for group in host.kept_for)
    return f"{said} beside what is kept for the daemon {kept_for}" if kept_for else said
