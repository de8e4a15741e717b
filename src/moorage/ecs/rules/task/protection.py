"""Task protection: which tasks may be protected from scale-in and deployments, and for how long.

ECS, UpdateTaskProtection: "from 1 minute to up to 2,880 minutes (48 hours) ... automatically
protected for 120 minutes (2 hours)"; each call sets the time anew. Protection belongs to tasks of
services whose number somebody sets: a stand-alone task nobody scales in, and a daemon runs wherever
its host is.
"""

from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.refusal import Refusal, invalid
from moorage.ground.instant import Duration, minutes

UPDATED_MAX = 10
SHOWN_MAX = 100
MINUTES = (1, 2880)
MINUTES_DEFAULT = 120
NOT_VALID = "TASK_NOT_VALID"


def refuse_minutes(expires_in: int | None) -> Refusal | None:
    """Why expiresInMinutes is out of range, or None."""
    low, high = MINUTES
    if expires_in is None or low <= expires_in <= high:
        return None
    return invalid(f"expiresInMinutes must be between {low} and {high}.")


def protected_for(expires_in: int | None) -> Duration:
    """For how long a task is protected."""
    return minutes(MINUTES_DEFAULT if expires_in is None else expires_in)


def unfit(task: Task, service: Service | None) -> str:
    """Why a task has no protection that could be asked for or set (TASK_NOT_VALID), or ""."""
    if not task.service:
        return "The task belongs to no service. Only tasks of services can be protected."
    if service is not None and service.scheduling_strategy == "DAEMON":
        return "The task belongs to a DAEMON service, whose tasks cannot be protected."
    return ""


def over(task: Task) -> str:
    """Why a task cannot be protected any more (TASK_NOT_VALID), or ""."""
    if task.is_stopped:
        return "The task has stopped."
    return "The task is about to stop." if task.desired_status == "STOPPED" else ""
