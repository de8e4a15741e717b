"""runningCount and pendingCount, counted from tasks for answers."""

from collections.abc import Iterable
from typing import Literal

from moorage.ecs.records.task import Task
from moorage.ground.record import Record


class Counts(Record):
    """`running` and `pending` as ECS shows them; tasks of lost hosts are in neither."""

    running: int = 0
    pending: int = 0


def counts(tasks: Iterable[Task]) -> Counts:
    """The counts of some tasks: of a service, of one deployment, or of a host."""
    kinds = [
        counted(task.last_status, task.desired_status, task.connectivity)
        for task in tasks
        if not task.is_stopped
    ]
    return Counts(running=kinds.count("RUNNING"), pending=kinds.count("PENDING"))


def counted(last: str, desired: str, connectivity: str) -> Literal["RUNNING", "PENDING", ""]:
    """As what a task that is not STOPPED is counted; empty: as neither.

    A task is running from RUNNING on, nothing delays it, and pending before; one that is to stop
    is running until it is reported otherwise, and no longer pending.
    """
    if connectivity == "DISCONNECTED":
        return ""
    if last == "RUNNING":
        return "RUNNING"
    return "PENDING" if desired == "RUNNING" else ""
