"""Is a deployment configuration sound, and what is it in full?"""

from moorage.ecs.rules.refusal import Refusal
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration


def refuse_configuration(configuration: DeploymentConfiguration) -> Refusal | None:
    """Why this configuration cannot be asked for, or None."""
    raise NotImplementedError


def full_configuration(
    asked: DeploymentConfiguration | None, before: DeploymentConfiguration | None = None
) -> DeploymentConfiguration:
    """`asked` laid over what was before, or over ECS's defaults (100/200, breaker off)."""
    raise NotImplementedError
