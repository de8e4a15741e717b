"""What the server is told of a task: a picture of it as it is, said when it differs from the last.

Level, not edge: reports are made when they can be sent, at most one of a task is out, so that
what happened meanwhile is in the next one. A status never goes back: RUNNING is said before
STOPPED wherever all containers of the task did run, and nothing is said after STOPPED.
"""

from moorage.agent.engine.dependency import definition
from moorage.agent.engine.transitions import ENDED, S
from moorage.agent.records.container import ContainerRecord
from moorage.agent.records.report import (
    ContainerHealth,
    ContainerReport,
    ReportedStatus,
    TaskHealth,
    TaskReport,
)
from moorage.agent.records.task import TaskRecord

REPORTS_IN_FLIGHT_MAX = 10


def due(task: TaskRecord) -> TaskReport | None:
    """The report to submit now, if there is something to say and nothing of it is out."""
    if task.settled or task.submitting is not None:
        return None
    if task.desired == "STOPPED" and task.reported is not None and not ended(task):
        return None  # on its way to STOPPED, which tells all at once
    report = picture(task)
    if report.status == "PENDING" or report == task.reported:
        return None
    return report


def picture(task: TaskRecord) -> TaskReport:
    """The task as it is to be told now."""
    status = _status(task)
    containers = tuple(_shown(task, record, status) for record in task.containers)
    ended = status == "STOPPED"
    return TaskReport(
        task=task.arn,
        status=status,
        reason=task.reason if ended else None,
        containers=containers,
        pull_started_at=task.pull_started_at,
        pull_stopped_at=task.pull_stopped_at,
        execution_stopped_at=task.stopped_at if ended else None,
    )


def ended(task: TaskRecord) -> bool:
    """Whether no container of the task runs or will run."""
    return all(record.status in ENDED for record in task.containers)


def _status(task: TaskRecord) -> ReportedStatus:
    reported = None if task.reported is None else task.reported.status
    if ended(task):
        ran = bool(task.containers) and all(c.started_at is not None for c in task.containers)
        return "RUNNING" if ran and reported is None else "STOPPED"
    if reported == "RUNNING" or all(_steady(task, record) for record in task.containers):
        return "RUNNING"
    return "PENDING"


def _steady(task: TaskRecord, record: ContainerRecord) -> bool:
    """Whether the container is where it is meant to be, or has been there."""
    if record.started_at is not None:
        return True
    essential = bool(definition(task.task, record.name).essential)
    return record.status in ENDED and not essential


_SHOWN: dict[S, ReportedStatus] = {
    S.RUNNING: "RUNNING",
    S.STOPPING: "RUNNING",
    S.STOPPED: "STOPPED",
    S.REMOVING: "STOPPED",
    S.REMOVED: "STOPPED",
}


def _shown(task: TaskRecord, record: ContainerRecord, status: ReportedStatus) -> ContainerReport:
    has_run = record.restarts > 0 or record.held
    shown = _SHOWN.get(record.status, "RUNNING" if has_run else "PENDING")
    if status == "RUNNING" and ended(task):
        shown = "RUNNING"  # it ran and is over already; STOPPED is told next
    return ContainerReport(
        container_name=record.name,
        status=shown,
        runtime_id=record.runtime_id,
        image_digest=record.image_digest,
        exit_code=record.exit_code if record.status in ENDED else None,
        reason=record.reason,
        network_bindings=record.bindings,
    )


def health(task: TaskRecord) -> TaskHealth | None:
    """The health of the task's running containers that have a check; None where none has."""
    checked = tuple(
        ContainerHealth(
            container_name=record.name,
            health=record.health,
            since=record.health_since or record.started_at,
            message=record.health_message,
        )
        for record in task.containers
        if record.status in {S.RUNNING, S.STOPPING}
        and definition(task.task, record.name).health_check_type == "docker"
    )
    if not checked:
        return None
    return TaskHealth(
        task_arn=task.arn,
        family=task.task.family or "",
        version=task.task.version or "",
        containers=checked,
    )
