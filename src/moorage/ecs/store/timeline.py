"""The table of the timeline: what happened in each cluster, written in the transaction of the change.

One row a happening, of a bounded length. No counter is shared: the moment of a row is made of the
transaction's time and of the place within it, so that writers do not meet.
"""

from collections.abc import Collection, Iterable
from functools import cache

from moorage.ecs.records.happening import Happening
from moorage.ecs.rules.happenings import LEFT
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.sql.document import Table
from moorage.sql.query import Query
from moorage.sql.transaction import Transaction

TEXT_LENGTH_MAX = 400
CAUSE_LENGTH_MAX = 200
NAME_LENGTH_MAX = 64
# What one row can need at most: its texts in UTF-8, its ARNs and names, as columns and in JSON.
ENTRY_BYTES_MAX = 4096
KIND = "timeline"
_BEGINNINGS = frozenset({"cluster-made", "host-joined", "service-made", "machine-ordered"})
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
_OF_KIND = TIMELINE.query("cluster", "kind", order=("moment",))
_NEXT = TIMELINE.query(greater="cluster")


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
        if one.kind in _BEGINNINGS:
            tx.wake(KIND, one.cluster)  # its sweep begins with the first of these


def before(at: Instant) -> str:
    """The moment just before all that happened at `at`, reading from the newest back."""
    return f"{_LATEST - max(0, min(at, _LATEST)):019d}"


def page(
    tx: Transaction,
    filters: dict[str, str],
    after: str | None,
    limit: int,
    instances: Collection[str] | None = None,
) -> list[Happening]:
    """At most `limit` happenings whose columns equal `filters`, newest first, after a moment.

    Only those of the hosts `instances` (ARNs), where they are given.
    """
    among: dict[str, object] = {} if instances is None else {"instance": instances}
    listing = _listing(tuple(sorted(filters)), "instance" if among else "")
    return listing.all(tx, limit=limit, moment=after, **filters, **among)


def left(tx: Transaction, cluster: str) -> list[Happening]:
    """Which hosts of a cluster (an ARN) were deregistered, the newest first, with their names."""
    return _OF_KIND.all(tx, cluster=cluster, kind=LEFT)


def count(tx: Transaction, cluster: str) -> int:
    """How many happenings of a cluster are kept."""
    return _OF_CLUSTER.count(tx, cluster=cluster)


def oldest(tx: Transaction, cluster: str, limit: int) -> list[Happening]:
    """The oldest of a cluster, the oldest first."""
    return _OLDEST.all(tx, cluster=cluster, limit=limit)


def delete(tx: Transaction, one: Happening) -> None:
    """Forget one."""
    TIMELINE.delete(tx, one.cluster, one.moment)


def clusters(tx: Transaction) -> list[str]:
    """The ARNs of the clusters that have a timeline."""
    found: list[str] = []
    while (following := _NEXT.first(tx, cluster=found[-1] if found else None)) is not None:
        found.append(following.cluster)
    return found


def _moment(now: Instant, place: int, one: Happening) -> str:
    """Sorts the newest first, also within a transaction; two transactions may have one time."""
    name = one.task or one.deployment or one.instance.rpartition("/")[2] or one.service
    name = name or one.text.partition(" ")[0][:NAME_LENGTH_MAX]  # of a machine, its name
    return f"{before(now)}.{max(0, _PLACES - place):04d}.{one.kind}.{name}"


@cache
def _listing(columns: tuple[str, ...], among: str) -> Query[Happening]:
    return TIMELINE.query(*columns, among=among, greater="moment")
