"""Orders a task to stop; the first order's code and reason stand."""

from moorage.ecs.records.task import Task
from moorage.ecs.rules.task.status import moved
from moorage.ground.instant import Duration, Instant, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecs.task_definition import TaskDefinition

USER = "UserInitiated"
SCHEDULER = "ServiceSchedulerInitiated"
HOST_GONE = "InfrastructureHealth"
# StopTask, `reason`: "up to 255 characters"; ECS's own words where the caller gives none.
REASON_LENGTH_MAX = 255
USER_REASON_DEFAULT = "Task stopped by user"
# ECS's stopTimeout where a container names none.
STOP_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS_MAX = 120  # ECS allows no longer one


def ask_to_stop(task: Task, code: str, reason: str, now: Instant) -> Task:
    """The task with desiredStatus STOPPED; one that its host was never told of is STOPPED at once.

    A task that is to stop already, or has, comes back as it is.
    """
    if task.is_stopped or task.desired_status == "STOPPED":
        return task
    asked = evolve(
        task,
        desired_status="STOPPED",
        stop_code=code,
        stopped_reason=reason,
        stop_requested_at=now,
        stopping_at=now,
    )
    return asked if task.payload_sequence else _ended(asked, now)


def abandon(task: Task, reason: str, now: Instant) -> Task:
    """The task STOPPED without its host's word: the host was deregistered."""
    if task.is_stopped:
        return task
    return _ended(ask_to_stop(task, HOST_GONE, reason, now), now)


def stop_timeout(definition: TaskDefinition | None) -> Duration:
    """How long the containers of a task are given together; they may stop one after another.

    Of an adopted task the definition may be unknown: then it is given the longest of one container.
    """
    if definition is None:
        return seconds(STOP_TIMEOUT_SECONDS_MAX)
    return seconds(
        sum(
            STOP_TIMEOUT_SECONDS if one.stop_timeout is None else one.stop_timeout
            for one in definition.container_definitions or ()
        )
    )


def _ended(task: Task, now: Instant) -> Task:
    if task.is_stopped:
        return task
    return evolve(
        task,
        last_status=moved(task.last_status, "STOPPED", "scheduler"),
        stopped_at=now,
        execution_stopped_at=now
        if task.execution_stopped_at is None
        else task.execution_stopped_at,
        containers=tuple(evolve(one, last_status="STOPPED") for one in task.containers),
    )
