"""A task's overrides: what is refused, and what the definition becomes under them."""

import msgspec
import pytest

from moorage.ecs.rules.definition.overrides import (
    normal_overrides,
    overridden,
    refuse_overrides,
)
from moorage.shapes.ecs.container_definition import ContainerDefinition, KeyValuePair
from moorage.shapes.ecs.task import TaskOverride
from moorage.shapes.ecs.task_definition import TaskDefinition

DEFINITION = TaskDefinition(
    cpu="256",
    memory="512",
    container_definitions=[
        ContainerDefinition(
            name="web",
            image="demo:1",
            command=["a"],
            memory=64,
            environment=[KeyValuePair(name="A", value="1"), KeyValuePair(name="B", value="2")],
        ),
        ContainerDefinition(name="side", image="demo:1"),
    ],
)


def overrides(*containers, **members) -> TaskOverride:
    return msgspec.convert({"containerOverrides": list(containers), **members}, TaskOverride)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (overrides(), None),
        (overrides({"name": "web", "command": ["b"], "cpu": 0, "memory": 6}), None),
        (overrides(executionRoleArn="arn", cpu="1 vCPU", memory="1GB"), None),
        (
            overrides({"name": "db"}),
            "Override for container named db is not a container in the TaskDefinition.",
        ),
        (
            overrides({"name": "web"}, {"name": "web"}),
            "More than one override for container named web.",
        ),
        (overrides({"name": "web", "cpu": -1}), "Invalid 'cpu' setting for container 'web'."),
        (overrides({"name": "web", "memory": 5}), "Invalid 'memory' setting for container 'web'."),
        (
            overrides({"name": "web", "memory": 9, "memoryReservation": 10}),
            "Invalid 'memoryReservation' setting for container 'web'.",
        ),
        (
            overrides({"name": "web", "environment": [{"value": "x"}]}),
            "Invalid 'environment' setting for container 'web'.",
        ),
        (
            overrides({"name": "web", "environmentFiles": [{"type": "s3", "value": "x"}]}),
            "Overriding environmentFiles is not supported yet.",
        ),
        (
            overrides({"name": "web", "resourceRequirements": [{"type": "GPU", "value": "0"}]}),
            "Invalid 'resourceRequirements' setting for container 'web'.",
        ),
        (
            overrides({"name": "web", "resourceRequirements": [{"type": "NeuronDevice"}]}),
            "Overriding resourceRequirements of a type other than GPU is not supported yet.",
        ),
        (overrides(taskRoleArn="arn"), "Overriding taskRoleArn is not supported yet."),
        (overrides(cpu="x"), "Invalid 'cpu' setting for task."),
        (overrides(memory="0"), "Invalid 'memory' setting for task."),
        (
            overrides({"name": "web", "command": ["x" * 9000]}),
            "Container Overrides length must be at most 8192 characters.",
        ),
    ],
)
def test_refusals(given, message):
    refusal = refuse_overrides(DEFINITION, given)
    assert (None if refusal is None else refusal.message) == message


def test_environment_is_merged_by_name_and_the_rest_replaced():
    given = overrides(
        {
            "name": "web",
            "command": ["b"],
            "environment": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}],
            "memoryReservation": 32,
        },
        cpu="1 vCPU",
    )
    after = overridden(DEFINITION, given)
    web, side = after.container_definitions
    assert web.command == ["b"]
    assert [(one.name, one.value) for one in web.environment] == [
        ("A", "1"),
        ("B", "3"),
        ("C", "4"),
    ]
    assert (web.memory, web.memory_reservation) == (64, 32)
    assert side == DEFINITION.container_definitions[1]
    assert (after.cpu, after.memory) == ("1024", "512")
    assert overridden(DEFINITION, None) is DEFINITION


def test_tasks_show_an_entry_for_each_container():
    shown = msgspec.to_builtins(
        normal_overrides(DEFINITION, overrides({"name": "side", "command": ["x"]}))
    )
    assert shown == {
        "containerOverrides": [{"name": "web"}, {"name": "side", "command": ["x"]}],
        "inferenceAcceleratorOverrides": [],
    }
    assert msgspec.to_builtins(normal_overrides(DEFINITION, None))["containerOverrides"] == [
        {"name": "web"},
        {"name": "side"},
    ]
