"""A host: what its loss, its return, its drain and its leaving mean for the tasks on it.

A lost host's tasks are not STOPPED: nobody knows that they are. They are DISCONNECTED until the
host is back or was deregistered; only then are they STOPPED without its word.
"""

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.rules.rebalancing.field import is_ready, settled_at
from moorage.ecs.rules.task.stop import abandon
from moorage.ecs.store import brakes, container_instances, drains, images, rebalances, tasks
from moorage.ecs.store.connectivity import follow_host
from moorage.ground.instant import Instant, later
from moorage.ground.record import evolve
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
    looks = [
        _offered(turn, instance),
        _let_go(turn, key),
        _rested(turn, key),
        _released(turn, key),
        _drained(turn, key),
    ]
    return min((one for one in looks if one is not None), default=None)


def _now(turn: Turn, key: str) -> ContainerInstance:
    """The host as this turn has left it so far."""
    instance = container_instances.get(turn.tx, key)
    assert instance is not None, f"{key} went within a turn"
    return instance


def _rested(turn: Turn, key: str) -> Instant | None:
    """A host that flapped takes tasks again when its time is over."""
    instance = _now(turn, key)
    until = instance.flapping_until
    if until is None or turn.now < until:
        return until
    container_instances.write(turn.tx, evolve(instance, flapping_until=None))
    return None


def _let_go(turn: Turn, key: str) -> Instant | None:
    """Whoever waits for the host's daemons waits no longer than this: its orders are looked at anew."""
    instance = _now(turn, key)
    until = instance.held_until
    if until is None or turn.now < until:
        return until
    container_instances.note(turn.tx, evolve(instance, held_until=None))
    turn.tx.wake("instance", key)
    return None


def _released(turn: Turn, key: str) -> Instant | None:
    """A lost host is decided about by the brake, one too that an earlier program left as lost."""
    instance = _now(turn, key)
    if instance.lost_at is None or instance.replace_at is not None:
        return None
    cluster = brakes.of_host(instance)
    if brakes.holding(turn.tx, cluster) is not None:
        turn.tx.wake("cluster", cluster.arn)  # whose controller looks again in time
        return None
    return brakes.release(turn.tx, instance, brakes.brake_rule(turn.site))


def _drained(turn: Turn, key: str) -> Instant | None:
    """The deadline of a drain; moving tasks before it is for their services."""
    return drains.drain(turn.tx, _now(turn, key))


def _offered(turn: Turn, instance: ContainerInstance) -> Instant | None:
    """A host that has settled after it joined or returned is offered to running services, once."""
    if not turn.site.rebalance_moves_max:
        return None
    ready = is_ready(instance)
    if ready != (instance.ready_at is not None):
        instance = evolve(instance, ready_at=turn.now if ready else None, offered_at=None)
        instance = container_instances.note(turn.tx, instance)
    at = settled_at(instance, turn.site.rebalance_settling) if ready else None
    if at is None or instance.offered_at is not None:
        return None
    if turn.now < at:
        return at
    container_instances.note(turn.tx, evolve(instance, offered_at=turn.now))
    rebalances.wake(turn.tx, instance.cluster_arn)
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
