"""The table of families: how far the numbering of each has come."""

from moorage.ecs.records.task_family import TaskFamily
from moorage.ecs.store.identity import Home
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

TASK_FAMILIES = Table(
    "task_families",
    TaskFamily,
    keys=("account", "region", "name"),
    columns=("is_active", "is_gone"),
)
_ALL = TASK_FAMILIES.query("account", "region", "is_gone", greater="name")
_OF_STATUS = TASK_FAMILIES.query("account", "region", "is_gone", "is_active", greater="name")


def lock(tx: Transaction, home: Home, name: str) -> TaskFamily:
    """The family of that name, new where nobody used it; nobody else numbers it meanwhile."""
    found = TASK_FAMILIES.lock(tx, home.account, home.region, name)
    return found or TaskFamily(account=home.account, region=home.region, name=name, latest=0)


def put(tx: Transaction, family: TaskFamily) -> None:
    """Keep how far the numbering has come."""
    TASK_FAMILIES.put(tx, family)


def page(
    tx: Transaction, home: Home, *, is_active: bool | None, after: str | None, limit: int
) -> list[TaskFamily]:
    """At most `limit` families by name, after the name `after`; all where `is_active` is None.

    A family of which every revision was deleted is none of them.
    """
    if is_active is None:
        return _ALL.all(
            tx, limit=limit, account=home.account, region=home.region, is_gone=False, name=after
        )
    return _OF_STATUS.all(
        tx,
        limit=limit,
        account=home.account,
        region=home.region,
        is_gone=False,
        is_active=is_active,
        name=after,
    )
