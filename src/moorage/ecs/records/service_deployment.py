"""A service deployment: the change of a service from older revisions to a newer one."""

from typing import Literal

from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration

DeploymentStatus = Literal[
    "PENDING",
    "IN_PROGRESS",
    "STOP_REQUESTED",
    "ROLLBACK_REQUESTED",
    "SUCCESSFUL",
    "STOPPED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
]

# The stages of a rolling deployment, in order; those that shift traffic are left out.
LifecycleStage = Literal[
    "RECONCILE_SERVICE", "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "CLEAN_UP"
]
HookStatus = Literal["AWAITING_ACTION", "SUCCEEDED", "FAILED", "TIMED_OUT"]


class PauseHook(Record):
    """A PAUSE hook at which a deployment waits, or has waited; `timeout_action` follows its time."""

    id: str
    stage: LifecycleStage
    status: HookStatus
    expires_at: Instant
    timeout_action: str


class Progress(Record):
    """How far a deployment came, and when it last got on: for the progress deadline.

    `healthy` is the most tasks that were healthy at once, `others` the fewest that were left of
    other deployments; both begin anew when `desired` changes. While `held`, time does not count.
    """

    at: Instant
    healthy: int
    others: int
    desired: int
    held: bool = False


class ServiceDeployment(Record):
    """One deployment.

    `id` is `ecs-svc/N`, as `startedBy` and the classic view show it; `arn` is that of the newer
    API. `open` says whether it still stands in the classic `deployments[]`: until its last
    reachable task is STOPPED, or for good while it is the PRIMARY. `failed_tasks` counts failed
    starts in a row for the circuit breaker (the newest at `last_failure_at`); `completed_before`
    says that it was COMPLETED once, so that a later rollback may go back to it.
    `lifecycle_stage` is None until it begins. `keeps` is the id of the deployment whose tasks are
    kept in its stead while it is paused before its own start. `stalled` says that it has failed by
    the progress deadline and goes on trying.
    """

    account: str
    region: str
    cluster: str
    service: str
    id: str
    arn: str
    revision: str
    task_definition: str
    created_at: Instant
    updated_at: Instant
    status: DeploymentStatus
    deployment_configuration: DeploymentConfiguration
    desired_count: int
    launch_type: str | None = None
    capacity_provider_strategy: list[CapacityProviderStrategyItem] = []
    source_revisions: tuple[str, ...] = ()
    open: bool = True
    rollout_state: str = "IN_PROGRESS"
    rollout_reason: str = ""
    status_reason: str | None = None
    started_at: Instant | None = None
    finished_at: Instant | None = None
    completed_before: bool = False
    failed_tasks: int = 0
    last_failure_at: Instant | None = None
    breaker_triggered: bool = False
    rollback_of: str = ""
    rolled_back_to: str = ""
    rollback_started_at: Instant | None = None
    rollback_reason: str = ""
    lifecycle_stage: LifecycleStage | None = None
    hooks: tuple[PauseHook, ...] = ()
    keeps: str = ""
    progress: Progress | None = None
    stalled: bool = False

    @property
    def has_ended_in_vain(self) -> bool:
        """Whether it has failed, and nothing more of it is started."""
        return self.rollout_state == "FAILED" and not self.stalled
