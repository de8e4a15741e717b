"""A cluster: services that wait for room look again when it may be there; the brake; freezes end."""

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.rules.deployment.state import soonest
from moorage.ecs.rules.freeze import HOLDING, is_active
from moorage.ecs.store import brakes, freezes, pools, provisioning, services
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
        for rule in turn.site.pools_of(cluster.account, cluster.region, cluster.name):
            turn.tx.wake(provisioning.KIND, cluster.arn)
            pools.wake(turn.tx, rule.account, rule.region, rule.name)
        return soonest([_brake(turn, cluster), _thaw(turn, cluster)])
    for freeze in freezes.of_cluster(turn.tx, cluster.account, cluster.region, cluster.name):
        freezes.delete(turn.tx, freeze)
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


def _thaw(turn: Turn, cluster: Cluster) -> Instant | None:
    """Forget freezes that have run out (the brake's own are the brake's); when the next does."""
    known = freezes.of_cluster(turn.tx, cluster.account, cluster.region, cluster.name)
    held = [one for one in known if one.cause in HOLDING]
    for freeze in held:
        if not is_active(freeze, turn.now):
            freezes.delete(turn.tx, freeze)
    return soonest([one.until for one in held if is_active(one, turn.now)])
