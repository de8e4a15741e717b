"""What a definition asks of its host: attributes, among them those that no host of ours offers."""

from moorage.shapes.ecs.attribute import Attribute
from moorage.shapes.ecs.task_definition import TaskDefinition


def required_attributes(definition: TaskDefinition) -> list[Attribute]:
    """`requiresAttributes`, sorted by name; `moorage.capability.X` is what no host offers yet."""
    raise NotImplementedError


def compatibilities(definition: TaskDefinition) -> list[str]:
    """`compatibilities`: EXTERNAL, EC2 and, where its sizes fit, FARGATE."""
    raise NotImplementedError
