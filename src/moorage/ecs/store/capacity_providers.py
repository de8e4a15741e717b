"""The table of capacity providers. A change wakes the provider's pool."""

from collections.abc import Iterable

from moorage.ecs.records.capacity_provider import CapacityProvider
from moorage.ecs.store import pools
from moorage.ecs.store.identity import Home, name_of
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

CAPACITY_PROVIDERS = Table(
    "capacity_providers",
    CapacityProvider,
    keys=("account", "region", "name"),
    columns=("status", "pool"),
    indices=(("account", "region", "pool"),),
)
_PAGE = CAPACITY_PROVIDERS.query("account", "region", greater="name")
_OF_POOL = CAPACITY_PROVIDERS.query("account", "region", "pool", "status")
_ACTIVE = CAPACITY_PROVIDERS.query("account", "region", "status")


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


def active_count(tx: Transaction, home: Home) -> int:
    """How many providers of an account and region are ACTIVE."""
    return _ACTIVE.count(tx, account=home.account, region=home.region, status="ACTIVE")


def page(tx: Transaction, home: Home, after: str | None, limit: int) -> list[CapacityProvider]:
    """At most `limit` providers by name, after the name `after`."""
    return _PAGE.all(tx, limit=limit, account=home.account, region=home.region, name=after)


def put(tx: Transaction, provider: CapacityProvider) -> None:
    """Keep a new or changed provider."""
    CAPACITY_PROVIDERS.put(tx, provider)
    pools.wake(tx, provider.account, provider.region, provider.pool)
