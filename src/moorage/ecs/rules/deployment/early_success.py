"""Early success criteria: a deployment is done before all of its tasks are.

At `healthyPercent` of the desired count (rounded up) the tasks of other deployments are removed, and
the deployment is COMPLETED: after their removal (BLOCKING) or before it (DEFERRED). What is missing
of its own tasks is started as ever; the circuit breaker watches over it no longer.
"""

from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.rolling import MINIMUM_HEALTHY_PERCENT_DEFAULT, lower_limit
from moorage.ecs.rules.refusal import Refusal, invalid
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration

CLEANUPS = frozenset({"BLOCKING", "DEFERRED"})
_WHOLE = 100


def refuse_early(full: DeploymentConfiguration) -> Refusal | None:
    """Why the early success criteria of a configuration in full cannot be asked for, or None."""
    early = full.early_success_criteria
    if early is None:
        return None
    percent, cleanup = early.healthy_percent, early.source_service_revision_cleanup
    if percent is not None and not 0 <= percent <= _WHOLE:
        return invalid("The healthyPercent of earlySuccessCriteria must be between 0 and 100.")
    if cleanup is not None and cleanup not in CLEANUPS:
        return invalid(f"Invalid sourceServiceRevisionCleanup {cleanup}. Use BLOCKING or DEFERRED.")
    if not early.enable:
        return None
    if percent is None or cleanup is None:
        return invalid(
            "earlySuccessCriteria needs healthyPercent and sourceServiceRevisionCleanup where it "
            "is enabled."
        )
    minimum = full.minimum_healthy_percent
    if percent < (MINIMUM_HEALTHY_PERCENT_DEFAULT if minimum is None else minimum):
        return invalid(
            "The healthyPercent of earlySuccessCriteria must not be below minimumHealthyPercent."
        )
    return None


def enough(deployment: ServiceDeployment, desired: int) -> int | None:
    """How many healthy tasks are enough for a deployment, or None where all of them must be."""
    early = deployment.deployment_configuration.early_success_criteria
    if early is None or not early.enable or early.healthy_percent is None:
        return None
    return lower_limit(desired, early.healthy_percent)


def goal(deployment: ServiceDeployment, desired: int) -> int:
    """How many healthy tasks end the scaling up of a deployment."""
    early = enough(deployment, desired)
    return desired if early is None else min(desired, early)


def succeeded(deployment: ServiceDeployment, census: Census, desired: int) -> bool:
    """Whether a deployment is done before its service is steady."""
    least = enough(deployment, desired)
    if least is None or census.healthy(census.staying) < least:
        return False
    early = deployment.deployment_configuration.early_success_criteria
    deferred = early is not None and early.source_service_revision_cleanup == "DEFERRED"
    return deferred or not (census.present - {deployment.id})
