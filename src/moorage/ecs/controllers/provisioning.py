"""Tasks that wait for room on a provider's hosts are placed as soon as there is some."""

from moorage.ecs.records.task import Task
from moorage.ecs.rules.capacity.waiting import find_room
from moorage.ecs.rules.placement.constraint import FOLLOW_LOOK, follows
from moorage.ecs.rules.task.status import moved
from moorage.ecs.store import clusters, freezes, gpus, tasks
from moorage.ecs.store import provisioning as store
from moorage.ecs.store.service_wants import wanted_by
from moorage.ecs.store.view import cluster_view, promise
from moorage.ground.instant import Instant, later
from moorage.ground.record import evolve
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller


@controller(kind=store.KIND, keys=clusters.every)
def provisioning(turn: Turn, key: str) -> Instant | None:
    """Give the waiting tasks of one cluster the room that is there, first come first served."""
    waiting = tasks.provisioning(turn.tx, key)
    if not waiting:
        return None
    if freezes.is_frozen(turn.tx, waiting[0]):
        return later(turn.now, store.FROZEN_LOOK)
    view = cluster_view(turn.tx, key)
    asking = [(task, wanted_by(turn.tx, task)) for task in waiting]
    found = find_room(asking, view)
    promise(turn.tx, view, found.places.values())
    look: Instant | None = None
    for task, wants in asking:
        host = found.places.get(task.arn)
        if host is None:
            look = later(turn.now, FOLLOW_LOOK) if follows(wants) else look
            _note(turn, task, found.reasons[task.arn])
            continue
        placed = evolve(
            task,
            instance=host,
            zone=view.hosts[host].instance.zone,
            last_status=moved(task.last_status, "PENDING", "scheduler"),
            provisioning=None,
        )
        tasks.write(turn.tx, gpus.given(turn.tx, placed))
    return look


def _note(turn: Turn, task: Task, reason: str) -> None:
    """Keep why a task goes on waiting, where that is another reason than before."""
    assert task.provisioning is not None, "only what waits has a reason"
    if task.provisioning.reason != reason:
        tasks.note(turn.tx, evolve(task, provisioning=evolve(task.provisioning, reason=reason)))
