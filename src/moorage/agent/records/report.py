"""What the agent says of a task by SubmitTaskStateChange, and of health by TCS.

Field for field the request of the ECS API; times are Instants until they are encoded.
"""

from typing import Literal

from moorage.agent.records.container import Health, PortBinding
from moorage.ground.instant import Instant
from moorage.ground.record import Record

ReportedStatus = Literal["PENDING", "RUNNING", "STOPPED"]


class ContainerReport(Record):
    """One entry of `containers`; None is left out of the request."""

    container_name: str
    status: ReportedStatus
    runtime_id: str | None = None
    image_digest: str | None = None
    exit_code: int | None = None
    reason: str | None = None
    network_bindings: tuple[PortBinding, ...] = ()


class TaskReport(Record):
    """The request of SubmitTaskStateChange, but for the cluster, which the shell adds."""

    task: str
    status: ReportedStatus
    reason: str | None = None
    containers: tuple[ContainerReport, ...] = ()
    pull_started_at: Instant | None = None
    pull_stopped_at: Instant | None = None
    execution_stopped_at: Instant | None = None


class ContainerHealth(Record):
    """The health of one container since an instant."""

    container_name: str
    health: Health
    since: Instant | None = None
    message: str | None = None


class TaskHealth(Record):
    """The health of the containers of a task that have a health check."""

    task_arn: str
    family: str
    version: str
    containers: tuple[ContainerHealth, ...]
