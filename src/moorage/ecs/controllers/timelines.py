"""The timeline of a cluster: kept for thirty days, and never longer than so many events."""

from moorage.ecs.rules.happenings import forgotten
from moorage.ecs.store import clusters
from moorage.ecs.store import timeline as store
from moorage.ground.arn import parse_arn
from moorage.ground.instant import Instant, later, minutes
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller

FORGOTTEN_AT_ONCE = 500
LOOK_PERIOD = minutes(1)


@controller(kind=store.KIND, keys=store.clusters)
def timelines(turn: Turn, key: str) -> Instant | None:
    """Forget what is too old, or too much, of one cluster (an ARN): a bounded number at once."""
    tx = turn.tx
    kept = store.count(tx, key)
    oldest = store.oldest(tx, key, 1)
    # Mostly nothing is: then the one that would be the first is enough to read.
    if gone := forgotten(oldest, kept, tx.now):
        gone = forgotten(store.oldest(tx, key, FORGOTTEN_AT_ONCE), kept, tx.now)
    for one in gone:
        store.delete(tx, one)
    if len(gone) == FORGOTTEN_AT_ONCE:
        return tx.now
    return later(tx.now, LOOK_PERIOD) if oldest or _may_go_on(turn, key) else None


def _may_go_on(turn: Turn, key: str) -> bool:
    """Whether more may happen in a cluster of which all is forgotten: most of it wakes no sweep."""
    arn = parse_arn(key)
    assert arn is not None, f"{key} was woken as a cluster"
    cluster = clusters.get(turn.tx, arn.account, arn.region, arn.name)
    return cluster is not None and cluster.status != "INACTIVE"
