"""The table of capacity providers. A change wakes the provider's pool."""

from collections.abc import Iterable

from moorage.ecs.records.capacity_provider import CapacityProvider
from moorage.ecs.store import pools
from moorage.ecs.store.identity import Home, name_of
from moorage.ground.instant import hours, later
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

CAPACITY_PROVIDERS = Table(
    "capacity_providers",
    CapacityProvider,
    keys=("account", "region", "name"),
    columns=("status", "pool"),
    indices=(("account", "region", "pool"),),
)
# A deleted one stays describable for so long at least.
INACTIVE_KEPT = hours(24)
_PAGE = CAPACITY_PROVIDERS.query("account", "region", greater="name")
_OF_POOL = CAPACITY_PROVIDERS.query("account", "region", "pool", "status")
_OF_STATUS = CAPACITY_PROVIDERS.query("account", "region", "status")
_OF_ACCOUNT = CAPACITY_PROVIDERS.query("account", "region")


def get(tx: Transaction, home: Home, name: str) -> CapacityProvider | None:
    """The provider of that name, ACTIVE or INACTIVE."""
    return CAPACITY_PROVIDERS.get(tx, home.account, home.region, name)


def find(tx: Transaction, home: Home, text: str) -> CapacityProvider | None:
    """The provider that a caller named by name or ARN; raises InvalidParameterException."""
    return get(tx, home, name_of(home, "capacity-provider", text))


def active(tx: Transaction, home: Home, names: Iterable[str]) -> dict[str, CapacityProvider]:
    """Those of some names that are there and ACTIVE, by name."""
    found = {name: get(tx, home, name) for name in names}
    return {name: one for name, one in found.items() if one is not None and one.status == "ACTIVE"}


def of_pool(tx: Transaction, home: Home, pool: str) -> CapacityProvider | None:
    """The ACTIVE provider whose hosts are those of a pool."""
    return _OF_POOL.first(tx, account=home.account, region=home.region, pool=pool, status="ACTIVE")


def count(tx: Transaction, home: Home) -> int:
    """How many providers of an account and region are kept, ACTIVE or INACTIVE."""
    return _OF_ACCOUNT.count(tx, account=home.account, region=home.region)


def forget_deleted(tx: Transaction, home: Home) -> None:
    """Forget the providers that were deleted a day ago, so that names that come and go are few."""
    found = _OF_STATUS.all(tx, account=home.account, region=home.region, status="INACTIVE")
    for one in found:
        if later(one.deleted_at or tx.now, INACTIVE_KEPT) <= tx.now:
            CAPACITY_PROVIDERS.delete(tx, one.account, one.region, one.name)


def page(tx: Transaction, home: Home, after: str | None, limit: int) -> list[CapacityProvider]:
    """At most `limit` providers by name, after the name `after`."""
    return _PAGE.all(tx, limit=limit, account=home.account, region=home.region, name=after)


def put(tx: Transaction, provider: CapacityProvider) -> None:
    """Keep a new or changed provider."""
    CAPACITY_PROVIDERS.put(tx, provider)
    pools.wake(tx, provider.account, provider.region, provider.pool)
