"""Takes a host's report of a task in: status only moves forward, repeats change nothing."""

from moorage.ecs.records.task import Task
from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.agent import SubmitContainerStateChangeRequest, SubmitTaskStateChangeRequest
from moorage.shapes.ecs.network import NetworkBinding


class ContainerReport(Record):
    """What a host says of one container; several reports of one container are in time order."""

    name: str
    status: str
    exit_code: int | None = None
    reason: str | None = None
    runtime_id: str | None = None
    image_digest: str | None = None
    network_bindings: tuple[NetworkBinding, ...] = ()


class TaskReport(Record):
    """What a host says of one task; `status` is empty where it only speaks of containers."""

    status: str
    reason: str = ""
    containers: tuple[ContainerReport, ...] = ()
    pull_started_at: Instant | None = None
    pull_stopped_at: Instant | None = None
    execution_stopped_at: Instant | None = None


class Advanced(Record):
    """The task after a report; `ignored` says why a report changed nothing."""

    task: Task
    changed: bool
    ignored: str = ""


def advance(task: Task, report: TaskReport, now: Instant) -> Advanced:
    """The task after its host's report."""
    raise NotImplementedError


def report_of_task(request: SubmitTaskStateChangeRequest) -> TaskReport:
    """The report that SubmitTaskStateChange carries."""
    raise NotImplementedError


def report_of_container(request: SubmitContainerStateChangeRequest) -> TaskReport:
    """The report that SubmitContainerStateChange carries."""
    raise NotImplementedError
