"""runningCount and pendingCount, counted from tasks for answers."""

from collections.abc import Iterable

from moorage.ecs.records.task import Task
from moorage.ground.record import Record


class Counts(Record):
    """`running` and `pending` as ECS shows them; tasks of lost hosts are in neither."""

    running: int = 0
    pending: int = 0


def counts(tasks: Iterable[Task]) -> Counts:
    """The counts of some tasks: of a service, of one deployment, or of a cluster or host."""
    raise NotImplementedError
