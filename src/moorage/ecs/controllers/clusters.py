"""A cluster: when room may have appeared, the services that wait for it look again; the brake."""

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.store import brakes, services
from moorage.ecs.store import clusters as store
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
        return _brake(turn, cluster)
    until = later(cluster.deleted_at or turn.now, INACTIVE_KEPT)
    if turn.now < until:
        return until
    store.delete(turn.tx, cluster)
    return None


def _brake(turn: Turn, cluster: Cluster) -> Instant | None:
    """Where the brake holds, time or a host that has left may release it."""
    braked = brakes.Braked(account=cluster.account, region=cluster.region, name=cluster.name)
    if brakes.holding(turn.tx, braked) is None:
        return None
    return brakes.brake(turn.tx, braked, brakes.brake_rule(turn.site))
