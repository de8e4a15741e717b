"""A task: one run of a task definition on one host."""

from functools import lru_cache
from typing import Literal

from moorage.ecs.records.resources import Resources
from moorage.ground.arn import make_arn
from moorage.ground.instant import Duration, Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.network import NetworkBinding
from moorage.shapes.ecs.placement import PlacementConstraint, PlacementStrategy
from moorage.shapes.ecs.tag import Tag
from moorage.shapes.ecs.task import TaskOverride

TaskStatus = Literal[
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
]
DesiredStatus = Literal["RUNNING", "STOPPED"]
Connectivity = Literal["CONNECTED", "DISCONNECTED"]
Health = Literal["HEALTHY", "UNHEALTHY", "UNKNOWN"]
CLUSTERS_NAMED_MAX = 1024


class TaskContainer(Record):
    """One container of one task, as its host reported it; `image` is as it was written.

    `pinned_image` is what the host is told to run, where it differs from `image`. `gpu_wish` is how
    many GPUs it asks for, in digits or ALL, "" for none; `gpu_ids` are those that it was given.
    """

    name: str
    arn: str
    image: str
    essential: bool = True
    pinned_image: str | None = None
    image_digest: str | None = None
    runtime_id: str | None = None
    last_status: str = "PENDING"
    exit_code: int | None = None
    reason: str | None = None
    network_bindings: tuple[NetworkBinding, ...] = ()
    has_health_check: bool = False
    health: Health = "UNKNOWN"
    cpu: str | None = None
    memory: str | None = None
    memory_reservation: str | None = None
    gpu_wish: str = ""
    gpu_ids: tuple[str, ...] = ()


class Provisioning(Record):
    """What a task that waits for room was asked for with, and why it found none so far."""

    until: Instant
    reason: str = ""
    placement_constraints: list[PlacementConstraint] = []
    placement_strategy: list[PlacementStrategy] = []


class Task(Record):
    """One task. `last_status` is the host's to move (by its reports), `desired_status` ours.

    `reserved` is what it takes of its host until it is STOPPED. `payload_sequence` is the number
    under which it was last sent to its host, `acknowledged_at` when the host took it in:
    what a host should hold is derived from these, no message is stored. `stop_sequence` and
    `stop_acknowledged_at` are the same for the order to stop. `judged` says that the controller of
    its service has counted its end. `is_adopted`: its host told of it after the database was
    restored from a backup, so that its definition may be unknown. `heal_after` and `fence_after`
    are what its host was told, when the task was first sent there, of a server that is away: None
    for nothing. Until `protected_until` neither a scale-in nor a deployment stops the task.
    `capacity_provider` is the name of the one it was asked for, by a strategy; `provisioning` is
    set while it is PROVISIONING: `instance` is "" then. `replaces` is the ARN of the task in whose
    place it was started on another host, where a rebalancing moved that.
    """

    account: str
    region: str
    cluster: str
    id: str
    arn: str
    task_definition: str
    family: str
    revision: int
    group: str
    instance: str
    last_status: TaskStatus
    desired_status: DesiredStatus
    created_at: Instant
    reserved: Resources
    containers: tuple[TaskContainer, ...]
    launch_type: str = "EC2"
    started_by: str = ""
    service: str = ""
    deployment: str = ""
    service_revision: str = ""
    zone: str = ""
    connectivity: Connectivity = "CONNECTED"
    connectivity_at: Instant | None = None
    overrides: TaskOverride | None = None
    cpu: str | None = None
    memory: str | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    stop_requested_at: Instant | None = None
    pull_started_at: Instant | None = None
    pull_stopped_at: Instant | None = None
    started_at: Instant | None = None
    stopping_at: Instant | None = None
    execution_stopped_at: Instant | None = None
    stopped_at: Instant | None = None
    payload_sequence: int = 0
    acknowledged_at: Instant | None = None
    stop_sequence: int = 0
    stop_acknowledged_at: Instant | None = None
    enable_execute_command: bool = False
    heal_after: Duration | None = None
    fence_after: Duration | None = None
    judged: bool = False
    is_adopted: bool = False
    protected_until: Instant | None = None
    capacity_provider: str = ""
    provisioning: Provisioning | None = None
    replaces: str = ""
    tags: list[Tag] = []
    version: int = 1

    @property
    def health(self) -> Health:
        """The worst of the essential containers that have a check: UNHEALTHY, UNKNOWN, HEALTHY."""
        checked = {one.health for one in self.containers if one.essential and one.has_health_check}
        for worst in ("UNHEALTHY", "UNKNOWN", "HEALTHY"):
            if worst in checked:
                return worst
        return "UNKNOWN"

    @property
    def has_health_check(self) -> bool:
        """Whether an essential container of this task has a health check."""
        return any(one.essential and one.has_health_check for one in self.containers)

    def is_protected(self, now: Instant) -> bool:
        """Whether the task is protected from scale-in and from deployments."""
        return self.protected_until is not None and now < self.protected_until

    @property
    def is_stopped(self) -> bool:
        """Whether the task has reached its end; STOPPED is terminal."""
        return self.last_status == "STOPPED"

    @property
    def is_settled(self) -> bool:
        """Whether its host has nothing more to be told: it runs there as it should, or has ended."""
        if self.is_stopped:
            return True
        taken_in = self.acknowledged_at is not None
        return taken_in and self.last_status == self.desired_status == "RUNNING"

    @property
    def cluster_arn(self) -> str:
        """The ARN of the cluster, by which lists are searched."""
        return _cluster_arn(self.region, self.account, self.cluster)


@lru_cache(maxsize=CLUSTERS_NAMED_MAX)
def _cluster_arn(region: str, account: str, cluster: str) -> str:
    """Asked of each task several times whenever one is written."""
    return make_arn("cluster", region, account, cluster)
