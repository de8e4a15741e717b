"""The table of freezes: at most one for each cause, of each cluster and each service."""

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.rules import happenings
from moorage.ecs.rules.freeze import holds, is_active
from moorage.ecs.store import services, timeline
from moorage.ecs.store.identity import Clustered
from moorage.ground.arn import make_arn
from moorage.ground.instant import Instant
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

FREEZES = Table("freezes", Freeze, keys=("account", "region", "cluster", "service", "cause"))
_OF_CLUSTER = FREEZES.query("account", "region", "cluster")
_OF_ACCOUNT = FREEZES.query("account", "region")


def of_cluster(tx: Transaction, account: str, region: str, cluster: str) -> list[Freeze]:
    """All freezes of a cluster and of its services, those too that have run out."""
    return _OF_CLUSTER.all(tx, account=account, region=region, cluster=cluster)


def of_account(tx: Transaction, account: str, region: str) -> list[Freeze]:
    """All freezes of an account in a region, those too that have run out."""
    return _OF_ACCOUNT.all(tx, account=account, region=region)


def holding(
    tx: Transaction, account: str, region: str, cluster: str, service: str, now: Instant
) -> list[Freeze]:
    """The freezes that hold a service now: its own, and those of its whole cluster."""
    return [
        one
        for one in of_cluster(tx, account, region, cluster)
        if one.service in {"", service} and is_active(one, now)
    ]


def is_frozen(tx: Transaction, home: Clustered) -> bool:
    """Whether the whole cluster of a task, a machine or a pool is frozen: nothing starts in it."""
    held = holding(tx, home.account, home.region, home.cluster, "", tx.now)
    return holds(held, tx.now) is not None


def put(tx: Transaction, freeze: Freeze) -> None:
    """Keep a new or changed freeze, and wake whom it concerns."""
    FREEZES.put(tx, freeze)
    timeline.note(tx, [happenings.of_freeze(freeze, begun=True)])
    _wake(tx, freeze)


def delete(tx: Transaction, freeze: Freeze) -> None:
    """End a freeze, and wake whom it concerned."""
    FREEZES.delete(tx, freeze.account, freeze.region, freeze.cluster, freeze.service, freeze.cause)
    timeline.note(tx, [happenings.of_freeze(freeze, begun=False)])
    _wake(tx, freeze)


def _wake(tx: Transaction, freeze: Freeze) -> None:
    """The cluster looks when it ends; every service it holds is told, and says so in an event."""
    cluster = make_arn("cluster", freeze.region, freeze.account, freeze.cluster)
    tx.wake("cluster", cluster)
    for arn in services.live_arns(tx, cluster):
        if freeze.service in {"", arn.rpartition("/")[2]}:
            tx.wake("service", arn)
