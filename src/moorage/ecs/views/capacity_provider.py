"""A capacity provider as it is described."""

from collections.abc import Collection

from moorage.ecs.records.capacity_provider import CapacityProvider
from moorage.shapes.ecs import capacity_provider as shapes

TAGS = "TAGS"


def view(provider: CapacityProvider, include: Collection[str]) -> shapes.CapacityProvider:
    """The provider; its tags where `include` asks for them."""
    return shapes.CapacityProvider(
        capacity_provider_arn=provider.arn,
        name=provider.name,
        status=provider.status,
        auto_scaling_group_provider=provider.group,
        update_status=provider.update_status,
        tags=provider.tags if TAGS in include else [],
        type="EC2_AUTOSCALING",
    )
