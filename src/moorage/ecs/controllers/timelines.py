"""The timeline of a cluster: kept for thirty days, and never longer than so many events."""

from moorage.ecs.rules.happenings import forgotten
from moorage.ecs.store import timeline as store
from moorage.ground.instant import Instant, later, minutes
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller

FORGOTTEN_AT_ONCE = 500
LOOK_PERIOD = minutes(1)


@controller(kind=store.KIND, keys=store.clusters)
def timelines(turn: Turn, key: str) -> Instant | None:
    """Forget what is too old, or too much, of one cluster (an ARN): a bounded number at once."""
    tx = turn.tx
    oldest = store.oldest(tx, key, FORGOTTEN_AT_ONCE)
    gone = forgotten(oldest, store.count(tx, key), tx.now)
    for one in gone:
        store.delete(tx, one)
    if len(gone) == FORGOTTEN_AT_ONCE:
        return tx.now
    return later(tx.now, LOOK_PERIOD) if oldest else None
