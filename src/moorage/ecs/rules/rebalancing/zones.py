"""availabilityZoneRebalancing: with what ECS lets it be ENABLED, and what it is when left out.

The rules are those of the Amazon ECS Developer Guide, "Balancing an Amazon ECS service across
Availability Zones": not with DAEMON, not with the launch type EXTERNAL, not with a maximumPercent
of 100, not with a placement constraint on the zone; the first placement strategy spreads over the
zones, or there is none.
"""

from moorage.ecs.records.service import Service
from moorage.ecs.rules.deployment.rolling import percentages
from moorage.ecs.rules.placement.strategy import ZONE
from moorage.ecs.rules.refusal import Refusal, invalid
from moorage.shapes.ecs.task_definition import TaskDefinition

ENABLED, DISABLED = "ENABLED", "DISABLED"
_NEEDED_PERCENT = 100


def zone_rebalancing(asked: str | None, service: Service, definition: TaskDefinition) -> str:
    """What a new service has: as asked, else ENABLED where the service allows it."""
    if asked is not None:
        return asked
    return DISABLED if incompatible(service, definition) else ENABLED


def refuse_zone_rebalancing(service: Service, definition: TaskDefinition) -> Refusal | None:
    """Why a service cannot have what it has, or None."""
    given = service.availability_zone_rebalancing
    if given not in {ENABLED, DISABLED}:
        return invalid(f"availabilityZoneRebalancing must be {ENABLED} or {DISABLED}, not {given}.")
    why = incompatible(service, definition) if given == ENABLED else ""
    if not why:
        return None
    return invalid(
        f"Availability Zone rebalancing does not support {why}. Set availabilityZoneRebalancing to "
        f"{DISABLED}."
    )


def incompatible(service: Service, definition: TaskDefinition) -> str:
    """What of a service Availability Zone rebalancing does not go with, "" where nothing."""
    strategies = service.placement_strategy
    first = strategies[0] if strategies else None
    constraints = (*service.placement_constraints, *(definition.placement_constraints or ()))
    found = {
        "the DAEMON scheduling strategy": service.scheduling_strategy == "DAEMON",
        "the EXTERNAL launch type": service.launch_type == "EXTERNAL",
        "a maximumPercent of 100 or less": (
            percentages(service.deployment_configuration)[1] <= _NEEDED_PERCENT
        ),
        f"a first placement strategy other than spread by {ZONE}": (
            first is not None and (first.type, first.field) != ("spread", ZONE)
        ),
        f"a placement constraint on {ZONE}": any(
            ZONE in (one.expression or "") for one in constraints
        ),
    }
    return next((name for name, holds in found.items() if holds), "")
