"""runningCount and pendingCount, counted from tasks for answers."""

from collections.abc import Iterable

from moorage.ecs.records.task import Task
from moorage.ground.record import Record


class Counts(Record):
    """`running` and `pending` as ECS shows them; tasks of lost hosts are in neither."""

    running: int = 0
    pending: int = 0


def counts(tasks: Iterable[Task]) -> Counts:
    """The counts of some tasks: of a service, of one deployment, or of a cluster or host.

    A task is running from RUNNING on, nothing delays it, and pending before; one that is to stop
    is running until it is reported otherwise, and no longer pending.
    """
    running = pending = 0
    for task in tasks:
        if task.connectivity == "DISCONNECTED":
            continue
        if task.last_status == "RUNNING":
            running += 1
        elif task.desired_status == "RUNNING" and not task.is_stopped:
            pending += 1
    return Counts(running=running, pending=pending)
