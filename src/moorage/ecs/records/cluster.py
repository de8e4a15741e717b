"""A cluster: a name under which hosts, services and tasks are gathered."""

from typing import Literal

from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem
from moorage.shapes.ecs.cluster import ClusterConfiguration, ClusterSetting
from moorage.shapes.ecs.tag import Tag

ClusterStatus = Literal["ACTIVE", "INACTIVE"]


class Cluster(Record):
    """One cluster of one account and region; an INACTIVE one stays describable for a while."""

    account: str
    region: str
    name: str
    arn: str
    status: ClusterStatus
    created_at: Instant
    deleted_at: Instant | None = None
    settings: list[ClusterSetting] = []
    configuration: ClusterConfiguration | None = None
    service_connect_namespace: str | None = None
    capacity_providers: list[str] = []
    default_strategy: list[CapacityProviderStrategyItem] = []
    tags: list[Tag] = []
