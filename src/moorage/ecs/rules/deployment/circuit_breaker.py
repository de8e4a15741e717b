"""Has the deployment failed? Counts failed starts in a row against a threshold."""

from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration


def threshold(desired: int, configuration: DeploymentConfiguration) -> int | None:
    """After how many failed tasks in a row a deployment fails; None where the breaker is off."""
    raise NotImplementedError
