"""The normal form: a task definition as ECS reads it back."""

from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest, TaskDefinition


def normal_form(request: RegisterTaskDefinitionRequest) -> TaskDefinition:
    """The definition that a sound request registers, `compatibilities` and `requiresAttributes`
    computed; ARN, revision, status, registeredAt and registeredBy are the caller's to add."""
    raise NotImplementedError
