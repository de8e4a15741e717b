"""A task: an order to stop that is not carried out is given again; what is long over is forgotten."""

from moorage.ecs.records.task import Task
from moorage.ecs.rules.task.stop import abandon, stop_timeout
from moorage.ecs.store import (
    container_instances,
    images,
    post_mortems,
    provisioning,
    task_definitions,
)
from moorage.ecs.store import tasks as store
from moorage.ground.instant import Duration, Instant, hours, later, seconds
from moorage.ground.record import evolve
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller

STOP_GRACE = seconds(60)
RETENTION_MIN: Duration = hours(1)  # AWS: stopped tasks stay visible for at least an hour
HOST_GONE = "Host deregistered"


@controller(kind="task", keys=store.every)
def tasks(turn: Turn, key: str) -> Instant | None:
    """See to one task; answers when it is to be looked at again."""
    task = store.get(turn.tx, key)
    if task is None:
        return None
    if task.is_stopped:
        return _reap(turn, task)
    if task.provisioning is not None:
        return provisioning.give_up(turn, task)
    if container_instances.get(turn.tx, task.instance) is None:
        store.write(turn.tx, abandon(task, HOST_GONE, turn.now))
        images.release(turn.tx, task.arn)
        return None
    return _insist(turn, task)


def _reap(turn: Turn, task: Task) -> Instant | None:
    """Forget a task that has been STOPPED for as long as the site remembers."""
    kept = max(turn.site.stopped_task_retention, RETENTION_MIN)
    until = later(task.stopped_at or task.created_at, Duration(kept))
    if turn.now < until:
        return until
    post_mortems.remember(turn.tx, task)
    store.delete(turn.tx, task)
    return None


def _insist(turn: Turn, task: Task) -> Instant | None:
    """An acknowledged order to stop that shows no effect long after its time is sent anew.

    An agent that was stopped between its acknowledgement and its deed may have forgotten it.
    """
    acknowledged = task.stop_acknowledged_at
    if task.desired_status != "STOPPED" or acknowledged is None:
        return None
    known = task_definitions.find(turn.tx, task, task.task_definition)
    given = stop_timeout(known.definition if known else None)
    until = later(acknowledged, Duration(given + STOP_GRACE))
    if turn.now < until:
        return until
    store.write(turn.tx, evolve(task, stop_acknowledged_at=None))
    return None
