"""Is this task definition sound? The first thing that is wrong with it, in AWS's words."""

from moorage.ecs.rules.refusal import Refusal
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest


def refuse(request: RegisterTaskDefinitionRequest) -> Refusal | None:
    """Why RegisterTaskDefinition refuses this, or None where it registers."""
    raise NotImplementedError
