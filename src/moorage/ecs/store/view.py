"""The cluster as placement sees it, read from the rows in this transaction.

Two queries, whatever the size. What it says stays true until the commit, because whoever places
compares and sets the version of each chosen host (`promise`).
"""

from collections.abc import Iterable

from moorage.ecs.rules.placement import view as rules
from moorage.ecs.store import container_instances, tasks
from moorage.sql.transaction import Transaction


def cluster_view(tx: Transaction, cluster: str) -> rules.ClusterView:
    """The live hosts of a cluster (an ARN), with what is promised of each."""
    return rules.cluster_view(
        container_instances.live_of_cluster(tx, cluster), tasks.live_of_cluster(tx, cluster)
    )


def promise(tx: Transaction, view: rules.ClusterView, chosen: Iterable[str]) -> None:
    """Say that tasks are placed on these hosts; raises Conflict where one has changed meanwhile."""
    for arn in dict.fromkeys(chosen):
        container_instances.note(tx, view.hosts[arn].instance)
