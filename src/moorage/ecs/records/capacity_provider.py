"""A capacity provider: the name under which tasks are placed on the hosts of one pool."""

from typing import Literal

from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.capacity_provider import AutoScalingGroupProvider, ManagedScaling
from moorage.shapes.ecs.tag import Tag

ProviderStatus = Literal["ACTIVE", "INACTIVE"]


class CapacityProvider(Record):
    """One provider; `group` is its Auto Scaling group, complete, with `autoScalingGroupArn` as given.

    `pool` is the pool of the settings that the ARN names. An INACTIVE one stays describable for a
    while.
    """

    account: str
    region: str
    name: str
    arn: str
    pool: str
    group: AutoScalingGroupProvider
    status: ProviderStatus
    update_status: str
    created_at: Instant
    deleted_at: Instant | None = None
    tags: list[Tag] = []

    @property
    def scaling(self) -> ManagedScaling | None:
        """Its managed scaling where that is on, else None."""
        found = self.group.managed_scaling
        return found if found is not None and found.status == "ENABLED" else None

    @property
    def protects(self) -> bool:
        """Whether hosts with tasks are never taken away by scaling."""
        return self.group.managed_termination_protection == "ENABLED"

    @property
    def drains(self) -> bool:
        """Whether hosts are emptied before they are taken away."""
        return self.group.managed_draining == "ENABLED"
