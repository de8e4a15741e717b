"""A container instance: one host that has joined a cluster."""

from typing import Literal

from moorage.ecs.records.resources import Resources
from moorage.ground.arn import make_arn
from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.tag import Tag

InstanceStatus = Literal["ACTIVE", "DRAINING", "INACTIVE"]
# Why a host is not connected: it said goodbye (its machine lives), or it fell silent.
Disconnection = Literal["goodbye", "closed", "silent", "never"]


class InstanceAttribute(Record):
    """A name and perhaps a value that a host declares; capabilities have no value."""

    name: str
    value: str | None = None


class ContainerInstance(Record):
    """One host. What its tasks have taken of it is counted from the tasks, never stored here.

    `version` is compared and set by whoever places on this host. `sequence` is the counter shared
    by the payloads and manifests that are sent to it. `lost_at` is set when the host was judged
    lost, and cleared when it returns.
    """

    account: str
    region: str
    cluster: str
    id: str
    arn: str
    name: str
    status: InstanceStatus
    registered_at: Instant
    resources: Resources
    attributes: tuple[InstanceAttribute, ...] = ()
    version: int = 1
    sequence: int = 0
    connected: bool = False
    connected_at: Instant | None = None
    disconnected_at: Instant | None = None
    disconnection: Disconnection = "never"
    lost_at: Instant | None = None
    agent_version: str = ""
    agent_hash: str = ""
    docker_version: str = ""
    access_key_id: str = ""
    client_token: str = ""
    deregistered_at: Instant | None = None
    runtime_status: str = "INITIALIZING"
    runtime_status_at: Instant | None = None
    tags: list[Tag] = []

    def attribute(self, name: str) -> str | None:
        """The value of an attribute ("" where it has none), or None where the host lacks it."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute.value or ""
        return None

    @property
    def zone(self) -> str:
        """The availability zone that the host declared, or ""."""
        return self.attribute("ecs.availability-zone") or ""

    @property
    def cluster_arn(self) -> str:
        """The ARN of the cluster, by which lists are searched."""
        return make_arn("cluster", self.region, self.account, self.cluster)
