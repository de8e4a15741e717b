"""What a database older than its hosts means for a cluster: nothing is decided on its word.

The freeze with the cause `restore` stands until a person thaws the cluster; while it stands no
host stops what the database does not know, and hosts are asked what they run.
"""

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.freeze import Freeze
from moorage.ecs.store import freezes
from moorage.ground.record import evolve
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


def heed_timeline(tx: Transaction, instance: ContainerInstance, timeline: int) -> ContainerInstance:
    """The host with a counter above what its agent has seen, and its cluster frozen where it was not.

    A host cannot have seen what this database never sent: so the database was restored from a
    backup, or it lost what it had acknowledged.
    """
    if timeline <= instance.sequence:
        return instance
    reason = (
        f"The database is older than what the host {instance.name} has seen of it: it was restored "
        "from a backup."
    )
    freeze(tx, cluster_of(instance), reason)
    return evolve(instance, sequence=timeline)


def cluster_of(instance: ContainerInstance) -> tuple[str, str, str]:
    """The cluster of a host, as freezes name it."""
    return instance.account, instance.region, instance.cluster


def holds(tx: Transaction, cluster: tuple[str, str, str]) -> bool:
    """Whether a cluster is frozen because its database was restored."""
    account, region, name = cluster
    return freezes.FREEZES.get(tx, account, region, name, "", "restore") is not None
