"""A service deployment: the change of a service from older revisions to a newer one."""

from typing import Literal

from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.deployment_configuration import DeploymentConfiguration

DeploymentStatus = Literal[
    "PENDING",
    "IN_PROGRESS",
    "SUCCESSFUL",
    "STOPPED",
    "ROLLBACK_IN_PROGRESS",
    "ROLLBACK_SUCCESSFUL",
    "ROLLBACK_FAILED",
]


class ServiceDeployment(Record):
    """One deployment.

    `id` is `ecs-svc/N`, as `startedBy` and the classic view show it; `arn` is that of the newer
    API. `open` says whether it still stands in the classic `deployments[]`: until its last
    reachable task is STOPPED, or for good while it is the PRIMARY. `failed_tasks` counts failed
    starts in a row for the circuit breaker (the newest at `last_failure_at`); `completed_before`
    says that it was COMPLETED once, so that a later rollback may go back to it.
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
