"""The deadline of a drain: what becomes of the tasks that are still there.

Until then a drain is the services' business: they move their tasks as far as their percentages
let them. At the deadline a person has said which matters more: that the host is empty (`force`),
or that every service keeps its minimum (`abandon`). Stand-alone tasks are left alone, always:
nobody would start them anew.
"""

from collections.abc import Collection, Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Task
from moorage.ground.instant import Duration, Instant, later, seconds
from moorage.ground.record import Record, evolve

# How often a drain looks whether a service that was frozen at its deadline is so no longer.
FROZEN_LOOK: Duration = seconds(15)


class DrainStep(Record):
    """What to do: the host as it is from now on, the tasks to stop, when to look again."""

    instance: ContainerInstance
    stop: tuple[Task, ...] = ()
    abandoned: tuple[Task, ...] = ()
    look_again: Instant | None = None


def remaining(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """Of a host's live tasks those of services that nobody has told to stop yet."""
    return tuple(task for task in tasks if task.service and task.desired_status == "RUNNING")


def at_deadline(
    instance: ContainerInstance, tasks: Sequence[Task], frozen: Collection[str], now: Instant
) -> DrainStep:
    """What a drain's deadline brings for a host's live `tasks`.

    Tasks of `frozen` services (ARNs) are not stopped before the freeze is over.
    """
    drain = instance.drain
    if drain is None or instance.status != "DRAINING":
        return DrainStep(instance=instance)
    if now < drain.deadline:
        return DrainStep(instance=instance, look_again=drain.deadline)
    left = remaining(tasks)
    if drain.on_timeout == "abandon" and left:
        return DrainStep(instance=evolve(instance, status="ACTIVE", drain=None), abandoned=left)
    waiting = any(task.service in frozen for task in left)
    return DrainStep(
        instance=instance,
        stop=tuple(task for task in left if task.service not in frozen),
        look_again=later(now, FROZEN_LOOK) if waiting else None,
    )
