"""A cluster: when room may have appeared, the services that wait for it look again."""

from moorage.ecs.store import clusters as store
from moorage.ecs.store import services
from moorage.ground.arn import parse_arn
from moorage.ground.instant import Instant, hours, later
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller

INACTIVE_KEPT = hours(24)


@controller(kind="cluster", keys=store.every)
def clusters(turn: Turn, key: str) -> Instant | None:
    """Wake whom room would help; forget a cluster that was deleted a day ago."""
    arn = parse_arn(key)
    assert arn is not None, f"{key} was woken as a cluster"
    cluster = store.get(turn.tx, arn.account, arn.region, arn.name)
    if cluster is None:
        return None
    if cluster.status == "ACTIVE":
        for service in services.waiting(turn.tx, cluster.arn):
            turn.tx.wake("service", service)
        return None
    until = later(cluster.deleted_at or turn.now, INACTIVE_KEPT)
    if turn.now < until:
        return until
    store.delete(turn.tx, cluster)
    return None
