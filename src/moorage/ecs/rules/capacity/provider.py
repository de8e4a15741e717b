"""What a capacity provider may be: its name, its pool by the ARN of an Auto Scaling group, its members."""

import re

from moorage.ecs.rules.capacity import scaling as defaults
from moorage.ecs.rules.refusal import Refusal, invalid, unsupported
from moorage.ground.names import RESOURCE_NAME
from moorage.ground.record import Record, evolve
from moorage.shapes.ecs.capacity_provider import (
    AutoScalingGroupProvider,
    AutoScalingGroupProviderUpdate,
    CreateCapacityProviderRequest,
    ManagedScaling,
    UpdateCapacityProviderRequest,
)

RESERVED_PREFIXES = ("aws", "ecs", "fargate")
MANAGED_INSTANCES = (
    "managedInstancesProvider is not supported: Moorage starts hosts of pools in its settings. Use "
    "autoScalingGroupProvider with the name of a pool."
)
_GROUP_ARN = re.compile(
    r"arn:aws:autoscaling:([a-z0-9-]+):([0-9]{12}):autoScalingGroup:[^:/]*:"
    r"autoScalingGroupName/([A-Za-z0-9_-]+)",
    re.ASCII,
)


class Group(Record):
    """What the ARN or the name of an Auto Scaling group says; "" where a name leaves it open."""

    pool: str
    region: str = ""
    account: str = ""


def group_named(text: str) -> Group | None:
    """The group that an ARN or a plain name means, or None where it is neither."""
    found = _GROUP_ARN.fullmatch(text)
    if found is not None:
        return Group(region=found[1], account=found[2], pool=found[3])
    return Group(pool=text) if RESOURCE_NAME.fullmatch(text) else None


def refuse_create(request: CreateCapacityProviderRequest) -> Refusal | None:
    """Why a provider cannot be made of these members, or None; its pool is looked up elsewhere."""
    name = request.name or ""
    if not RESOURCE_NAME.fullmatch(name):
        return invalid(
            "The capacity provider name must be 1 to 255 letters, digits, hyphens and underscores."
        )
    if name.lower().startswith(RESERVED_PREFIXES):
        return invalid(
            "The capacity provider name is not valid. The name cannot be prefixed with 'aws', "
            "'ecs', or 'fargate'."
        )
    if request.managed_instances_provider is not None:
        return unsupported(MANAGED_INSTANCES)
    if request.cluster:
        return invalid(
            "cluster is for managed instances providers. Associate this one with "
            "PutClusterCapacityProviders."
        )
    if request.auto_scaling_group_provider is None:
        return invalid("An autoScalingGroupProvider must be specified.")
    return refuse_group(completed(request.auto_scaling_group_provider))


def refuse_update(request: UpdateCapacityProviderRequest) -> Refusal | None:
    """Why these members cannot be changed, or None."""
    if request.managed_instances_provider is not None:
        return unsupported(MANAGED_INSTANCES)
    if request.cluster:
        return invalid("cluster is for managed instances providers.")
    if request.auto_scaling_group_provider is None:
        return invalid("An autoScalingGroupProvider must be specified.")
    return None


def refuse_group(group: AutoScalingGroupProvider) -> Refusal | None:
    """Why the members of a complete group do not go together, or None."""
    scaling = group.managed_scaling or ManagedScaling()
    if group.managed_termination_protection == "ENABLED" and scaling.status != "ENABLED":
        return invalid(
            "The managed termination protection setting for the capacity provider is invalid. To "
            "enable managed termination protection for a capacity provider, you must enable "
            "managed scaling."
        )
    if (scaling.minimum_scaling_step_size or 1) > (scaling.maximum_scaling_step_size or 1):
        return invalid(
            "The minimumScalingStepSize must not be greater than the maximumScalingStepSize."
        )
    return None


def completed(group: AutoScalingGroupProvider) -> AutoScalingGroupProvider:
    """The group with the defaults of ECS where it says nothing.

    Managed scaling is off where it is not mentioned, and on where it is without a status; managed
    draining is on.
    """
    given = group.managed_scaling
    return evolve(
        group,
        managed_scaling=_completed(given, "DISABLED" if given is None else "ENABLED"),
        managed_termination_protection=group.managed_termination_protection or "DISABLED",
        managed_draining=group.managed_draining or "ENABLED",
    )


def updated(
    group: AutoScalingGroupProvider, update: AutoScalingGroupProviderUpdate
) -> AutoScalingGroupProvider:
    """The group with the members that an update names; what it leaves out stays."""
    before, given = group.managed_scaling or ManagedScaling(), update.managed_scaling
    named = (
        {}
        if given is None
        else {
            name: value
            for name in ManagedScaling.__struct_fields__
            if (value := getattr(given, name)) is not None
        }
    )
    return evolve(
        group,
        managed_scaling=evolve(before, **named),
        managed_termination_protection=update.managed_termination_protection
        or group.managed_termination_protection,
        managed_draining=update.managed_draining or group.managed_draining,
    )


def _completed(given: ManagedScaling | None, status: str) -> ManagedScaling:
    scaling = given or ManagedScaling()
    return ManagedScaling(
        status=scaling.status or status,
        target_capacity=_or(scaling.target_capacity, defaults.TARGET),
        minimum_scaling_step_size=_or(scaling.minimum_scaling_step_size, defaults.STEP_MIN),
        maximum_scaling_step_size=_or(scaling.maximum_scaling_step_size, defaults.STEP_MAX),
        instance_warmup_period=_or(scaling.instance_warmup_period, defaults.WARMUP_SECONDS),
    )


def _or(given: int | None, default: int) -> int:
    return default if given is None else given
