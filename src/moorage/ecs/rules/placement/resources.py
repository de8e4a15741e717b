"""What a task takes of its host."""

from moorage.ecs.records.resources import Resources
from moorage.shapes.ecs.task import TaskOverride
from moorage.shapes.ecs.task_definition import TaskDefinition


def needs(definition: TaskDefinition, overrides: TaskOverride | None = None) -> Resources:
    """CPU, memory, fixed host ports and GPUs of one task; `definition` is in normal form.

    Task-level CPU and memory where set, else the sum over the containers, the soft limit
    (memoryReservation) before the hard one. In network mode host a container's port is the
    host's, fixed.
    """
    raise NotImplementedError
