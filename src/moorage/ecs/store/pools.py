"""The table of pools: what is remembered of each. A pool is woken by its key."""

from collections.abc import Iterable

from moorage.ecs.records.machine import Machine, Pool
from moorage.ecs.rules.capacity import happenings
from moorage.ecs.rules.capacity.retirement import pause
from moorage.ecs.store import timeline
from moorage.ground.instant import later
from moorage.ground.record import evolve
from moorage.kernel.site import PoolRule
from moorage.sql.document import Table
from moorage.sql.transaction import Conflict, Transaction

KIND = "pool"
POOLS = Table("pools", Pool, keys=("account", "region", "name"), version="version")
_EVERY = POOLS.query()


def get(tx: Transaction, account: str, region: str, name: str) -> Pool | None:
    """What is remembered of a pool."""
    return POOLS.get(tx, account, region, name)


def configure(tx: Transaction, rules: Iterable[PoolRule]) -> None:
    """Have a row for each pool of the settings, so that its controller runs."""
    for rule in rules:
        POOLS.insert(tx, Pool(account=rule.account, region=rule.region, name=rule.name))


def note(tx: Transaction, pool: Pool) -> Pool:
    """Replace what was read as this version, waking nobody; raises Conflict."""
    written = evolve(pool, version=pool.version + 1)
    if not POOLS.swap(tx, written, version=pool.version):
        raise Conflict(f"the pool {pool.key} is no longer at version {pool.version}")
    return written


def failed(tx: Transaction, machine: Machine, reason: str) -> None:
    """Note that a machine could not be made, or did not join; the next is made a while later.

    Machines that were ordered together and fail together are one failure: ten that the same cause
    kept away say no more than one.
    """
    pool = get(tx, machine.account, machine.region, machine.pool)
    if pool is None:
        return
    timeline.note(tx, [happenings.of_failed_machine(machine, reason)])
    if pool.failed_at is not None and machine.created_at <= pool.failed_at:
        note(tx, evolve(pool, reason=reason))
        return
    failures = pool.failures + 1
    note(
        tx,
        evolve(
            pool,
            failures=failures,
            failed_at=tx.now,
            retry_at=later(tx.now, pause(failures)),
            reason=reason,
        ),
    )


def wake(tx: Transaction, account: str, region: str, name: str) -> None:
    """Have a pool looked at."""
    tx.wake(KIND, f"{account}/{region}/{name}")


def every(tx: Transaction) -> list[str]:
    """The keys of all pools that were ever in the settings."""
    return ["/".join(map(str, key)) for key in _EVERY.keys(tx)]
