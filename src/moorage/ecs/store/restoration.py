"""What a database older than its hosts means for a cluster: nothing is decided on its word.

The freeze with the cause `restore` stands until a person thaws the cluster; while it stands no
host stops what the database does not know, and hosts are asked what they run.
"""

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.store import freezes
from moorage.sql.transaction import Transaction


def freeze(tx: Transaction, cluster: tuple[str, str, str], reason: str) -> None:
    """Freeze a cluster (account, region, name), unless it is frozen for this cause already."""
    if not holds(tx, cluster):
        account, region, name = cluster
        freezes.put(
            tx,
            Freeze(
                account=account,
                region=region,
                cluster=name,
                service="",
                cause="restore",
                reason=reason,
                created_at=tx.now,
            ),
        )


def holds(tx: Transaction, cluster: tuple[str, str, str]) -> bool:
    """Whether a cluster is frozen because its database was restored."""
    account, region, name = cluster
    return freezes.FREEZES.get(tx, account, region, name, "", "restore") is not None
