"""Counts what a cluster holds, for whoever shows it."""

from collections import Counter

from moorage.ecs.records.holdings import Holdings
from moorage.ecs.rules.deployment.counts import counts
from moorage.ecs.store import container_instances, services, tasks
from moorage.sql.transaction import Transaction


def of_cluster(tx: Transaction, cluster: str) -> Holdings:
    """What is in a cluster (an ARN) now."""
    live = tasks.live_of_cluster(tx, cluster)
    counted: dict[tuple[str, str], int] = {}
    for kind in sorted({task.launch_type for task in live}):
        found = counts(task for task in live if task.launch_type == kind)
        counted |= {("RUNNING", kind): found.running, ("PENDING", kind): found.pending}
    return Holdings(
        instances=container_instances.live_count(tx, cluster),
        tasks=counted,
        services=dict(
            Counter(
                (service.status, service.launch_type or "EC2")
                for service in services.live_of_cluster(tx, cluster)
            )
        ),
    )
