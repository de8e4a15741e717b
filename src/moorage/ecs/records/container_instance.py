"""A container instance: one host that has joined a cluster."""

from typing import Literal

from moorage.ecs.records.resources import Resources
from moorage.ground.arn import make_arn
from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.container_instance import Resource
from moorage.shapes.ecs.tag import Tag

InstanceStatus = Literal["ACTIVE", "DRAINING", "INACTIVE"]
# Why a host is not connected: it said goodbye (its machine lives), or it fell silent.
Disconnection = Literal["goodbye", "closed", "silent", "never"]
# Why a host counts as lost: nothing was heard; its agent went and stayed away; its engine is gone.
Loss = Literal["silent", "away", "engine"]
# What to do with the tasks that are left when the deadline of a drain has passed.
DrainTimeout = Literal["force", "abandon"]


class Drain(Record):
    """A drain with a deadline, and what becomes of the tasks that are left at it."""

    deadline: Instant
    on_timeout: DrainTimeout = "force"


class InstanceAttribute(Record):
    """A name and perhaps a value that a host declares; capabilities have no value."""

    name: str
    value: str | None = None


class ContainerInstance(Record):
    """One host. What its tasks have taken of it is counted from the tasks, never stored here.

    `version` is compared and set by whoever places on this host. `sequence` is the counter shared
    by the payloads and manifests that are sent to it.

    `lost_at` is set when the host was judged lost (`loss` says why), and cleared when it returns.
    From `replace_at` on its tasks may be replaced elsewhere: it equals `lost_at`, unless too many
    were lost at once; then it is None while the cluster holds. `confirmed_at` is when a person said
    that the lost host will not come back with its tasks. `losses` are the newest times of loss, two
    at most; until `flapping_until` a host that returned takes nothing back. `engine_gone_at` is
    when the host first said that its engine is gone, None while the engine works.
    `key_rotation_asked_at` is when a person wanted it to change its key, None once it has.
    `authority_told` and `authority_kept` are the versions of the certificates to be trusted that the
    host was told last, and that it has on its disk. `custom_resources` are what it registered under
    names of its owner's: shown, and asked for by no task. `ready_at` is since when it was ACTIVE and neither
    lost nor flapping, as its controller saw it; None while it is not. `offered_at` is when, settled
    since, it was offered to the services that might spread onto it. `pool` is the pool that its machine was made
    for, "" for none, and `capacity_provider` the name of that pool's provider. Until `held_until` at the
    most it is sent no tasks but its daemons'; None where nothing waits for these.
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
    suspect: bool = False
    lost_at: Instant | None = None
    loss: Loss | None = None
    replace_at: Instant | None = None
    confirmed_at: Instant | None = None
    losses: tuple[Instant, ...] = ()
    flapping_until: Instant | None = None
    engine_gone_at: Instant | None = None
    drain: Drain | None = None
    key_rotation_asked_at: Instant | None = None
    authority_told: int = 0
    authority_kept: int = 0
    agent_version: str = ""
    agent_hash: str = ""
    docker_version: str = ""
    access_key_id: str = ""
    client_token: str = ""
    deregistered_at: Instant | None = None
    runtime_status: str = "INITIALIZING"
    runtime_status_at: Instant | None = None
    runtime_reason: str = ""
    ready_at: Instant | None = None
    offered_at: Instant | None = None
    held_until: Instant | None = None
    pool: str = ""
    capacity_provider: str = ""
    custom_resources: tuple[Resource, ...] = ()
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
