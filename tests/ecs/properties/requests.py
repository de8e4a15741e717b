"""What the product is asked for a drawn request, and a case of placement told in plain lines."""

from collections.abc import Iterator

from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.wants import wants_of
from moorage.shapes.ecs.attribute import Attribute
from moorage.shapes.ecs.container_definition import (
    ContainerDefinition,
    PortMapping,
    ResourceRequirement,
)
from moorage.shapes.ecs.placement import PlacementConstraint
from moorage.shapes.ecs.task_definition import TaskDefinition
from tests.ecs.properties import clusters, expressions
from tests.ecs.properties.clusters import Ask, PlaceCase, Wish


def wants(ask: Ask) -> Wants:
    """The wants of a request, by the bridge that services and RunTask cross."""
    constraints = [PlacementConstraint(type="distinctInstance")] if ask.distinct else []
    constraints += [
        PlacementConstraint(type="memberOf", expression=expressions.written(one, ask.spelling))
        for one in ask.members
    ]
    return wants_of(definition(ask), ask.group, constraints)


def definition(ask: Ask) -> TaskDefinition:
    """The definition of a request, in normal form."""
    cpu, memory = ask.of_task or (None, None)
    return TaskDefinition(
        family="job",
        network_mode=ask.network,
        cpu=cpu,
        memory=memory,
        container_definitions=[_container(f"c{at}", one) for at, one in enumerate(ask.containers)],
        requires_attributes=[Attribute(name=name, value=value) for name, value in ask.attributes],
    )


def _container(name: str, wish: Wish) -> ContainerDefinition:
    return ContainerDefinition(
        name=name,
        image="demo:1",
        cpu=wish.cpu,
        memory=wish.memory,
        memory_reservation=wish.reservation,
        port_mappings=[
            PortMapping(container_port=one, host_port=two or None, protocol=three)
            for one, two, three in wish.ports
        ],
        resource_requirements=[ResourceRequirement(type="GPU", value=wish.gpus)]
        if wish.gpus
        else None,
    )


def told(case: PlaceCase) -> Iterator[str]:
    """The cluster and the requests, a line each."""
    for host in clusters.instances(case):
        has = host.resources
        state = case.hosts[int(host.name[1:])].condition
        attributes = ", ".join(_attribute(one) for one in host.attributes)
        yield (
            f"host {host.name} ({state}): {_amount(has)}, agent {host.agent_version}, {attributes}"
        )
    for task in clusters.tasks(case, clusters.instances(case)):
        name = task.instance.rpartition("/")[2]
        yield f"task {task.id} of {task.group} on {name}, {task.last_status}: {_amount(task.reserved)}"
    for daemon in case.daemons:
        yield f"daemon {daemon.group}: {wants(daemon)}"
    for ask in case.asks:
        chain = ", ".join(f"{kind} {field}".strip() for kind, field in ask.strategies)
        yield f"asked: {ask.count} times {wants(ask)}; strategies [{chain}]; {_beside(ask)}"


def _attribute(one: InstanceAttribute) -> str:
    return one.name if one.value is None else f"{one.name}={one.value}"


def _amount(has: Resources) -> str:
    ports = f", ports {has.ports} {has.ports_udp}" if has.ports or has.ports_udp else ""
    gpus = f", GPUs {' '.join(has.gpu_ids)}" if has.gpu_ids else ""
    return f"cpu {has.cpu}, memory {has.memory}{ports}{gpus}"


def _beside(ask: Ask) -> str:
    parts: tuple[str, ...] = (
        f"avoided {ask.avoided}" if ask.avoided else "",
        "a deployment's own tasks counted" if ask.counted else "",
        f"chance {ask.numbers}",
        f"then {ask.ends} tasks end" if ask.ends else "",
    )
    return ", ".join(filter(None, parts))
