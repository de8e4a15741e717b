"""Orders a task to stop; the first order's code and reason stand."""

from moorage.ecs.records.task import Task
from moorage.ground.instant import Instant


def ask_to_stop(task: Task, code: str, reason: str, now: Instant) -> Task:
    """The task with desiredStatus STOPPED; one that its host was never told of is STOPPED at once.

    A task that is to stop already, or has, comes back as it is.
    """
    raise NotImplementedError


def abandon(task: Task, reason: str, now: Instant) -> Task:
    """The task STOPPED without its host's word: the host was deregistered."""
    raise NotImplementedError
