"""A task's overrides: are they sound, and what does the definition become under them?"""

from moorage.ecs.rules.refusal import Refusal
from moorage.shapes.ecs.task import TaskOverride
from moorage.shapes.ecs.task_definition import TaskDefinition


def refuse_overrides(definition: TaskDefinition, overrides: TaskOverride) -> Refusal | None:
    """Why these overrides cannot be laid over this definition, or None."""
    raise NotImplementedError


def overridden(definition: TaskDefinition, overrides: TaskOverride | None) -> TaskDefinition:
    """The definition as one task runs it: environment merged by name, the rest replaced."""
    raise NotImplementedError


def normal_overrides(definition: TaskDefinition, overrides: TaskOverride | None) -> TaskOverride:
    """The overrides as DescribeTasks shows them: an entry for each container."""
    raise NotImplementedError
