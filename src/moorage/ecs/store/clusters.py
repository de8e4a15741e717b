"""The table of clusters. `default` is there in each account and region from the start."""

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.rules import happenings
from moorage.ecs.store import timeline
from moorage.ecs.store.identity import Home, name_of
from moorage.ground.arn import make_arn
from moorage.ground.instant import Instant
from moorage.shapes.ecs.faults import ClusterNotFoundException
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

DEFAULT = "default"

CLUSTERS = Table("clusters", Cluster, keys=("account", "region", "name"), columns=("status",))
_EVERY = CLUSTERS.query(order=("account", "region", "name"))
_ACTIVE = CLUSTERS.query("account", "region", "status", greater="name")


def get(tx: Transaction, account: str, region: str, name: str) -> Cluster | None:
    """The cluster of that name, ACTIVE or INACTIVE; `default` even before anybody wrote it."""
    found = CLUSTERS.get(tx, account, region, name)
    return _default(account, region) if found is None and name == DEFAULT else found


def find(tx: Transaction, home: Home, text: str | None) -> Cluster | None:
    """The cluster that a caller named by name or ARN; no text means `default`.

    Raises InvalidParameterException for a foreign or malformed ARN.
    """
    return get(tx, home.account, home.region, name_of(home, "cluster", text or DEFAULT))


def active(tx: Transaction, home: Home, text: str | None) -> Cluster:
    """The ACTIVE cluster that a caller named; raises ClusterNotFoundException."""
    found = find(tx, home, text)
    if found is None or found.status != "ACTIVE":
        raise ClusterNotFoundException("Cluster not found.")
    return found


def with_provider(tx: Transaction, home: Home, provider: str) -> list[str]:
    """The names of the ACTIVE clusters that have a capacity provider."""
    found = _ACTIVE.all(tx, account=home.account, region=home.region, status="ACTIVE")
    return [cluster.name for cluster in found if provider in cluster.capacity_providers]


def put(tx: Transaction, cluster: Cluster) -> None:
    """Keep a new or changed cluster."""
    before = get(tx, cluster.account, cluster.region, cluster.name)
    timeline.note(tx, happenings.of_cluster(before, cluster))
    CLUSTERS.put(tx, cluster)
    tx.wake("cluster", cluster.arn)


def page(tx: Transaction, home: Home, after: str | None, limit: int) -> list[Cluster]:
    """At most `limit` ACTIVE clusters by name, after the name `after`."""
    found = _ACTIVE.all(
        tx, limit=limit, account=home.account, region=home.region, status="ACTIVE", name=after
    )
    if (after or "") < DEFAULT and CLUSTERS.get(tx, home.account, home.region, DEFAULT) is None:
        found.append(_default(home.account, home.region))
    return sorted(found, key=lambda cluster: cluster.name)[:limit]


def active_arns(tx: Transaction, home: Home) -> list[str]:
    """The ARNs of all ACTIVE clusters of an account in a region, `default` among them."""
    known = _ACTIVE.keys(tx, account=home.account, region=home.region, status="ACTIVE")
    names = {str(name) for _, _, name in known} | {DEFAULT}
    return [make_arn("cluster", home.region, home.account, name) for name in sorted(names)]


def delete(tx: Transaction, cluster: Cluster) -> None:
    """Forget a cluster that has been INACTIVE for long enough."""
    CLUSTERS.delete(tx, cluster.account, cluster.region, cluster.name)


def every(tx: Transaction) -> list[str]:
    """The ARNs of all clusters that were ever written."""
    return [
        make_arn("cluster", str(region), str(account), str(name))
        for account, region, name in _EVERY.keys(tx)
    ]


def written(tx: Transaction) -> list[Cluster]:
    """All clusters that were ever written and are still known."""
    return _EVERY.all(tx)


def _default(account: str, region: str) -> Cluster:
    return Cluster(
        account=account,
        region=region,
        name=DEFAULT,
        arn=make_arn("cluster", region, account, DEFAULT),
        status="ACTIVE",
        created_at=Instant(0),
    )
