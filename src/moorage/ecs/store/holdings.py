"""Counts what a cluster holds, for whoever shows it."""

from collections import Counter

from moorage.ecs.records.holdings import Holdings
from moorage.ecs.rules.deployment.counts import counted
from moorage.ecs.store import container_instances, services, tasks
from moorage.sql.transaction import Transaction


def of_cluster(tx: Transaction, cluster: str) -> Holdings:
    """What is in a cluster (an ARN) now; its tasks are counted by the database."""
    found: Counter[tuple[str, str]] = Counter()
    for (launch_type, *standing), number in tasks.live_tally(tx, cluster).items():
        found[counted(*standing), launch_type] += number
    return Holdings(
        instances=container_instances.live_count(tx, cluster),
        tasks={kind: number for kind, number in found.items() if kind[0]},
        services=dict(
            Counter(
                (service.status, service.launch_type or "EC2")
                for service in services.live_of_cluster(tx, cluster)
            )
        ),
    )
