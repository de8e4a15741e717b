"""The table of the timeline: what happened in each cluster, written in the transaction of the change.

One row a happening, of a bounded length. No counter is shared: the moment of a row is made of the
transaction's time and of the place within it, so that writers do not meet.
"""

from collections.abc import Iterable
from functools import cache

from moorage.ecs.records.happening import Happening
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.sql.document import Table
from moorage.sql.query import Query
from moorage.sql.transaction import Transaction

TEXT_LENGTH_MAX = 400
CAUSE_LENGTH_MAX = 200
KIND = "timeline"
_LATEST = 2**63 - 1
_PLACES = 9999

TIMELINE = Table(
    "timeline",
    Happening,
    keys=("cluster", "moment"),
    columns=("service", "instance", "subject", "kind"),
)
_OLDEST = TIMELINE.query("cluster", order=("-moment",))
_OF_CLUSTER = TIMELINE.query("cluster")
_EVERY = TIMELINE.query()


def note(tx: Transaction, happenings: Iterable[Happening]) -> None:
    """Keep what has just happened, and leave it with the transaction for whoever runs it."""
    for one in happenings:
        place = len(tx.noted)
        kept = evolve(
            one,
            text=one.text[:TEXT_LENGTH_MAX],
            cause=tx.cause[:CAUSE_LENGTH_MAX],
            at=tx.now,
            moment=_moment(tx.now, place, one),
        )
        tx.noted.append(kept)
        TIMELINE.insert(tx, kept)


def before(at: Instant) -> str:
    """The moment just before all that happened at `at`, reading from the newest back."""
    return f"{_LATEST - at:019d}"


def page(
    tx: Transaction, filters: dict[str, str], after: str | None, limit: int
) -> list[Happening]:
    """At most `limit` happenings whose columns equal `filters`, newest first, after a moment."""
    return _listing(tuple(sorted(filters))).all(tx, limit=limit, moment=after, **filters)


def _moment(now: Instant, place: int, one: Happening) -> str:
    """Sorts the newest first, also within a transaction; two transactions may have one time."""
    name = one.task or one.deployment or one.instance.rpartition("/")[2] or one.service
    return f"{before(now)}.{max(0, _PLACES - place):04d}.{one.kind}.{name}"


@cache
def _listing(columns: tuple[str, ...]) -> Query[Happening]:
    return TIMELINE.query(*columns, greater="moment")
