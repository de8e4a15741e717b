"""Named leases: who may run which controller, until when, and under which epoch.

A lease is a convenience, the epoch is the safety: each taking of a lease that was given up or ran
out raises it, and a write that was decided under an old epoch finds out by `check` in its own
transaction. Time is the transaction's; a holder renews well before the end.
"""

import sqlalchemy as core

from moorage.ground.instant import Duration, Instant, later
from moorage.ground.record import Record, evolve
from moorage.sql.document import Table
from moorage.sql.query import DOCUMENT
from moorage.sql.statement import Statement
from moorage.sql.transaction import Conflict, Transaction


class Lease(Record):
    """Who holds a name until when; `holder` is empty once it was given up."""

    name: str
    holder: str
    epoch: int
    expires_at: Instant


LEASES = Table("moorage_leases", Lease, keys=("name",))
_FOUND = core.select(LEASES.sql.c[DOCUMENT]).where(LEASES.sql.c.name == core.bindparam("name"))
_SHARED = Statement(_FOUND, _FOUND.with_for_update(read=True))


def acquire(tx: Transaction, name: str, holder: str, ttl: Duration) -> int | None:
    """The epoch under which `holder` has the lease for `ttl` from now; None where another has it.

    One that has it already keeps its epoch.
    """
    assert holder, "a lease has a holder"
    lease = LEASES.lock(tx, name)
    until = later(tx.now, ttl)
    if lease is None:
        if not LEASES.insert(tx, Lease(name=name, holder=holder, epoch=1, expires_at=until)):
            raise Conflict(f"another took the lease {name} at the same time")
        return 1
    if _runs(tx, lease):
        if lease.holder != holder:
            return None
        LEASES.put(tx, evolve(lease, expires_at=until))
        return lease.epoch
    taken = evolve(lease, holder=holder, epoch=lease.epoch + 1, expires_at=until)
    LEASES.put(tx, taken)
    return taken.epoch


def renew(tx: Transaction, name: str, epoch: int, ttl: Duration) -> bool:
    """Hold on for `ttl` from now; False where the lease was lost, and then it stays lost.

    One that ran out and that nobody took can still be renewed.
    """
    lease = LEASES.lock(tx, name)
    if lease is None or not _stands(lease, epoch):
        return False
    LEASES.put(tx, evolve(lease, expires_at=later(tx.now, ttl)))
    return True


def release(tx: Transaction, name: str, epoch: int) -> bool:
    """Give the lease up, so that another may take it at once; False where it was lost before."""
    lease = LEASES.lock(tx, name)
    if lease is None or not _stands(lease, epoch):
        return False
    LEASES.put(tx, evolve(lease, holder="", expires_at=tx.now))
    return True


def check(tx: Transaction, name: str, epoch: int) -> bool:
    """Whether `epoch` still stands; in a write it goes on standing until the commit."""
    if tx.writable:
        rows = tx.rows(_SHARED, name=name)
        lease = LEASES.decode(rows[0][0]) if rows else None
    else:
        lease = LEASES.get(tx, name)
    return lease is not None and _stands(lease, epoch)


def _stands(lease: Lease, epoch: int) -> bool:
    return lease.epoch == epoch and lease.holder != ""


def _runs(tx: Transaction, lease: Lease) -> bool:
    return lease.holder != "" and lease.expires_at > tx.now
