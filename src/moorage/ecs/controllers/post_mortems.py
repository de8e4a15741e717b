"""Post-mortems: kept for as long as the site says, and of a service the newest ten for good."""

from moorage.ecs.store import post_mortems as store
from moorage.ecs.store import services
from moorage.ground.instant import Instant, hours, later
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller

KEPT_OF_SERVICE = 10
# Of one holder no more, however young they are: the oldest go first.
OF_HOLDER_MAX = 1000
FORGOTTEN_AT_ONCE = 100
# What is kept for good is looked at again, since its service may be gone by then.
LOOK_PERIOD = hours(24)


@controller(kind="post_mortem", keys=store.every)
def post_mortems(turn: Turn, key: str) -> Instant | None:
    """Forget what is old of one holder (a service, or a cluster), a bounded number at once."""
    tx = turn.tx
    left = store.count(tx, key)
    service = services.get(tx, key)
    kept = KEPT_OF_SERVICE if service is not None and service.status != "INACTIVE" else 0
    for _ in range(FORGOTTEN_AT_ONCE):
        if left <= kept:
            return later(tx.now, LOOK_PERIOD) if left else None
        oldest = store.oldest(tx, key)
        if oldest is None:
            return None
        until = later(oldest.received_at, turn.site.post_mortem_retention)
        if tx.now < until and left <= OF_HOLDER_MAX:
            return until
        store.delete(tx, oldest)
        left -= 1
    return tx.now
