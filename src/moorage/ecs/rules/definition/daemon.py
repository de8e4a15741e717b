"""What a DAEMON service may not ask, in Amazon's words, and the percentages it has by default.

AWS: "Daemon scheduling strategy". maximumPercent is 100, since a second task on a host would clash
with the first; minimumHealthyPercent is 0 where nothing is said.
"""

from typing import TypeAlias

from moorage.ecs.rules.refusal import Refusal, invalid
from moorage.shapes.ecs.deployment_configuration import (
    DeploymentCircuitBreaker,
    DeploymentConfiguration,
)
from moorage.shapes.ecs.service import CreateServiceRequest, UpdateServiceRequest

MAXIMUM_PERCENT = 100
DAEMON_CONFIGURATION = DeploymentConfiguration(
    minimum_healthy_percent=0,
    maximum_percent=MAXIMUM_PERCENT,
    deployment_circuit_breaker=DeploymentCircuitBreaker(enable=False, rollback=False),
    strategy="ROLLING",
    bake_time_in_minutes=0,
)
_ServiceRequest: TypeAlias = CreateServiceRequest | UpdateServiceRequest


def refuse_daemon(request: _ServiceRequest) -> Refusal | None:
    """Why this cannot be asked of a DAEMON service, by the request's members alone, or None."""
    asked = request.deployment_configuration
    maximum = asked.maximum_percent if asked else None
    constraints = request.placement_constraints or []
    wrong = {
        "The daemon scheduling strategy does not support a desired count for services. Remove the "
        "desired count value and try again": request.desired_count is not None,
        "The daemon scheduling strategy does not support placement strategies. Remove the "
        "placement strategy and try again": bool(request.placement_strategy),
        "The daemon scheduling strategy does not support the distinctInstance placement "
        "constraint. Remove the placement constraint and try again": any(
            one.type == "distinctInstance" for one in constraints
        ),
        "The daemon scheduling strategy does not support values above 100 for maximumPercent on a "
        "deployment configuration. Change the maximumPercent value to 100, and try again": (
            maximum is not None and maximum > MAXIMUM_PERCENT
        ),
        "Specifying a capacity provider strategy is not supported when you create a service using "
        "the DAEMON scheduling strategy.": bool(request.capacity_provider_strategy),
        "The daemon scheduling strategy does not support Availability Zone rebalancing. Remove "
        "availabilityZoneRebalancing and try again": (
            request.availability_zone_rebalancing == "ENABLED"
        ),
    }
    return next((invalid(message) for message, is_so in wrong.items() if is_so), None)


def refuse_daemon_percentages(full: DeploymentConfiguration) -> Refusal | None:
    """Why a daemon's configuration, laid over what was before, cannot stand, or None."""
    if full.minimum_healthy_percent == MAXIMUM_PERCENT:
        return invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block "
            "deployments."
        )
    return None
