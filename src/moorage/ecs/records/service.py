"""A service: how many tasks of which definition should run, and how it changes."""

from typing import Literal

from moorage.ecs.records.rebalancing import Rebalancing
from moorage.ground.arn import make_arn
from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration
from moorage.shapes.ecs.network import NetworkConfiguration
from moorage.shapes.ecs.placement import PlacementConstraint, PlacementStrategy
from moorage.shapes.ecs.tag import Tag

ServiceStatus = Literal["ACTIVE", "DRAINING", "INACTIVE"]


class StartBackoff(Record):
    """What the service knows of starts that failed one after another.

    `failures` in a row; nothing is started before `until`; `last_at` is when the newest failed.
    """

    failures: int = 0
    until: Instant | None = None
    last_at: Instant | None = None


class HostFailures(Record):
    """A service's failures on one host (an ARN): when the newest were, until it is avoided.

    Once it is, `failures` is how many it took, and `at` is empty.
    """

    instance: str
    at: tuple[Instant, ...] = ()
    failures: int = 0
    avoided_until: Instant | None = None


class Avoidance(Record):
    """On which hosts tasks of a deployment (by its id) fail; a newer deployment knows of none."""

    deployment: str = ""
    hosts: tuple[HostFailures, ...] = ()


class Service(Record):
    """One service. Its counts are computed from its tasks, its rollouts from its deployments.

    `deployment` is the id (`ecs-svc/N`) of the newest deployment, the PRIMARY one. `steady_at` is
    when it was last said to be steady. `counted_at` is up to when task endings were judged for
    the back-off and the breaker. `frozen_at` is when the freeze began that was last said to hold it,
    None once it was said to be thawed. `wanting` is for how many tasks there was no room, by the
    capacity provider that they are to run on.
    """

    account: str
    region: str
    cluster: str
    name: str
    arn: str
    status: ServiceStatus
    created_at: Instant
    created_by: str
    desired_count: int
    task_definition: str
    deployment: str
    deployment_configuration: DeploymentConfiguration
    launch_type: str | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] = []
    scheduling_strategy: str = "REPLICA"
    placement_constraints: list[PlacementConstraint] = []
    placement_strategy: list[PlacementStrategy] = []
    network_configuration: NetworkConfiguration | None = None
    health_check_grace_period_seconds: int = 0
    availability_zone_rebalancing: str = "DISABLED"
    propagate_tags: str = "NONE"
    enable_ecs_managed_tags: bool = False
    enable_execute_command: bool = False
    client_token: str = ""
    backoff: StartBackoff = StartBackoff()
    avoidance: Avoidance = Avoidance()
    steady_at: Instant | None = None
    deleted_at: Instant | None = None
    events_written: int = 0
    waits_for_room: bool = False
    wanting: dict[str, int] = {}
    frozen_at: Instant | None = None
    rebalancing: Rebalancing = Rebalancing()
    tags: list[Tag] = []
    version: int = 1

    @property
    def cluster_arn(self) -> str:
        """The ARN of the cluster, by which lists are searched."""
        return make_arn("cluster", self.region, self.account, self.cluster)
