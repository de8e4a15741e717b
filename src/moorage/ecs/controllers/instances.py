"""A host: what its loss, its return and its leaving mean for the tasks on it.

A lost host's tasks are not STOPPED: nobody knows that they are. They are DISCONNECTED until the
host is back or was deregistered; only then are they STOPPED without its word.
"""

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.rules.task.stop import abandon
from moorage.ecs.store import container_instances, images, tasks
from moorage.ecs.store.connectivity import follow_host
from moorage.ground.instant import Instant, later
from moorage.iam.store import access_keys
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller

DEREGISTERED = "Host deregistered"


@controller(kind="instance", keys=container_instances.every)
def instances(turn: Turn, key: str) -> Instant | None:
    """Let the tasks of one host follow the host; forget a host that left long ago, and its key."""
    instance = container_instances.get(turn.tx, key)
    if instance is None:
        return None
    if instance.status == "INACTIVE":
        return _left(turn, instance)
    follow_host(turn.tx, instance)
    return None


def _left(turn: Turn, instance: ContainerInstance) -> Instant | None:
    tx = turn.tx
    for task in tasks.live_of_instance(tx, instance.arn):
        gone = tasks.write(tx, abandon(task, DEREGISTERED, tx.now))
        if not gone.service:
            images.release(tx, gone.arn)
    until = later(instance.deregistered_at or tx.now, turn.site.stopped_task_retention)
    if tx.now < until:
        return until
    for key in access_keys.of_instance(tx, instance.arn):
        access_keys.delete(tx, key.id)
    container_instances.delete(tx, instance)
    return None
