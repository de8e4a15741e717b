"""The table of rebalancings, one row a cluster that was looked at (`sights`)."""

from moorage.ecs.records.rebalancing import ClusterRebalancing
from moorage.ecs.store import container_instances, projection, tasks
from moorage.ground.arn import make_arn
from moorage.ground.instant import Duration, Instant, hours, later, seconds
from moorage.ground.record import evolve
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

KIND = "rebalancing"
REBALANCES = Table("rebalances", ClusterRebalancing, keys=("account", "region", "cluster"))
# A look costs in proportion to the cluster, so that large ones are looked at less often.
LOOK_GAP: Duration = seconds(1)
# What a person asked for is done by then, or is given up.
ASKED_FOR: Duration = hours(1)
LOOK_GAP_A_TASK = Duration(1000)
_EVERY = REBALANCES.query(order=("account", "region", "cluster"))


def get(tx: Transaction, account: str, region: str, cluster: str) -> ClusterRebalancing | None:
    """What is known of a cluster's rebalancing, None before the first look."""
    return REBALANCES.get(tx, account, region, cluster)


def note(tx: Transaction, known: ClusterRebalancing) -> None:
    """Keep what is known of a cluster, by its own controller, which need not look for that."""
    REBALANCES.put(tx, known)


def is_asked(known: ClusterRebalancing, now: Instant) -> bool:
    """Whether a person has asked for a rebalancing that is not done yet."""
    return known.asked_at is not None and now < later(known.asked_at, ASKED_FOR)


def ask(tx: Transaction, known: ClusterRebalancing, service: str = "") -> None:
    """Keep that a person asks for a rebalancing now, of one service or of all, and let it begin.

    What was asked for before and is not done yet is done as well.
    """
    asked = {service} if service else set()
    if is_asked(known, tx.now):
        asked = {*asked, *known.asked_services} if asked and known.asked_services else set()
    note(
        tx,
        evolve(known, looked_at=Instant(0), asked_at=tx.now, asked_services=tuple(sorted(asked))),
    )
    wake(tx, make_arn("cluster", known.region, known.account, known.cluster))


def wake(tx: Transaction, cluster: str) -> None:
    """Let the balance of a cluster (an ARN) be looked at."""
    tx.wake(KIND, cluster)


def forget(tx: Transaction, account: str, region: str, cluster: str) -> None:
    """Forget a cluster that is no more."""
    REBALANCES.delete(tx, account, region, cluster)


def every(tx: Transaction) -> list[str]:
    """The ARNs of all clusters that have hosts, or were ever looked at.

    A server may end after a host was offered and before anybody looked for the first time.
    """
    looked = {
        make_arn("cluster", str(region), str(account), str(name))
        for account, region, name in _EVERY.keys(tx)
    }
    return sorted(looked.union(one.cluster_arn for one in container_instances.every_live(tx)))


def gap(tx: Transaction, cluster: str) -> Duration:
    """How long after one look at a cluster (an ARN) the next may follow."""
    kept = projection.recalled(tx, cluster)
    if kept is None:
        count = tasks.live_count(tx, cluster)
    else:  # what waits for a host is no host's
        count = len(kept.claims) + len(tasks.provisioning(tx, cluster))
    return Duration(LOOK_GAP + LOOK_GAP_A_TASK * count)
