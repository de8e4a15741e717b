"""What a task takes of its host."""

import pytest

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.ports import port_range
from moorage.ecs.rules.placement.resources import needs
from moorage.ecs.rules.placement.wants import wants_of
from moorage.shapes.ecs.attribute import Attribute
from moorage.shapes.ecs.container_definition import (
    ContainerDefinition,
    PortMapping,
    ResourceRequirement,
)
from moorage.shapes.ecs.placement import PlacementConstraint
from moorage.shapes.ecs.task import ContainerOverride, TaskOverride
from moorage.shapes.ecs.task_definition import TaskDefinition, TaskDefinitionPlacementConstraint


def definition(*containers, **more) -> TaskDefinition:
    return TaskDefinition(container_definitions=list(containers), **more)


def container(name="web", **more) -> ContainerDefinition:
    ports = [
        PortMapping(container_port=inside, host_port=outside, protocol=protocol)
        for inside, outside, protocol in more.pop("ports", [])
    ]
    return ContainerDefinition(name=name, port_mappings=ports, **more)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (definition(container(cpu=10, memory=20)), Resources(cpu=10, memory=20)),
        (
            definition(container(cpu=10, memory=20, memory_reservation=15)),
            Resources(cpu=10, memory=15),
        ),
        (
            definition(container(cpu=10, memory=20), container("b", cpu=1, memory=2)),
            Resources(cpu=11, memory=22),
        ),
        (
            definition(container(cpu=10, memory=20), cpu="512", memory="1024"),
            Resources(cpu=512, memory=1024),
        ),
        (definition(container(cpu=10), memory="1024"), Resources(cpu=10, memory=1024)),
        (
            definition(container(memory=1, ports=[(80, 8080, "tcp"), (53, 53, "udp")])),
            Resources(memory=1, ports=(8080,), ports_udp=(53,)),
        ),
        (definition(container(memory=1, ports=[(80, 0, "tcp")])), Resources(memory=1)),
        (
            definition(container(memory=1, ports=[(80, 0, "tcp")]), network_mode="host"),
            Resources(memory=1, ports=(80,)),
        ),
        (
            definition(container(memory=1, ports=[(80, 80, "tcp")]), network_mode="awsvpc"),
            Resources(memory=1),
        ),
        (
            definition(
                ContainerDefinition(
                    name="r",
                    memory=1,
                    port_mappings=[PortMapping(container_port_range="90-92", protocol="tcp")],
                ),
                network_mode="host",
            ),
            Resources(memory=1, ports=(90, 91, 92)),
        ),
        (
            definition(
                container(resource_requirements=[ResourceRequirement(type="GPU", value="2")]),
                container(
                    "b", resource_requirements=[ResourceRequirement(type="GPU", value="ALL")]
                ),
            ),
            Resources(gpus=3, all_gpus=True),
        ),
    ],
)
def test_needs(asked, expected):
    assert needs(asked) == expected


def test_overrides_change_what_is_taken():
    asked = definition(container(cpu=10, memory=20), container("b", cpu=1, memory=2))
    overrides = TaskOverride(
        container_overrides=[ContainerOverride(name="web", cpu=100, memory_reservation=5)]
    )
    assert needs(asked, overrides) == Resources(cpu=101, memory=7)
    assert needs(asked, TaskOverride(cpu="1 vCPU", memory="2GB")) == Resources(
        cpu=1024, memory=2048
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1-2", range(1, 3)),
        ("80-80", range(80, 81)),
        ("2-1", None),
        ("0-1", None),
        ("1-65536", None),
        ("1", None),
        ("a-b", None),
        ("1-2-3", None),
        ("", None),
        ("1-999999999999999999", None),
    ],
)
def test_port_ranges(text, expected):
    assert port_range(text) == expected


def test_wants_gather_what_definition_and_call_ask():
    asked = definition(
        container(memory=5),
        placement_constraints=[
            TaskDefinitionPlacementConstraint(type="memberOf", expression="attribute:a exists")
        ],
        requires_attributes=[Attribute(name="x"), Attribute(name="y", value="1")],
    )
    call = [
        PlacementConstraint(type="memberOf", expression="attribute:b exists"),
        PlacementConstraint(type="distinctInstance"),
    ]
    wants = wants_of(asked, "service:web", call)
    assert wants.members == ("attribute:a exists", "attribute:b exists")
    assert wants.distinct
    assert [(one.name, one.value) for one in wants.attributes] == [("x", None), ("y", "1")]
    assert wants.needs == Resources(memory=5)
    assert not wants_of(asked, "g").distinct
