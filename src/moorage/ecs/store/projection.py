"""Each cluster as placement sees it, kept up from one write to the next.

Read from the rows once, changed with each row of a host or a task that is written, and dropped with
a write that comes to nothing: so a decision costs in proportion to what it looks at, not to how many
tasks the cluster runs. It is a cache, for who writes alone; `differs` says whether it is a true one.
"""

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Task
from moorage.ecs.rules.placement.orders import Orders
from moorage.ecs.rules.placement.view import (
    Claim,
    ClusterView,
    HostLoad,
    after_report,
    claim_of,
    empty,
    with_claim,
)
from moorage.ground.record import evolve
from moorage.sql.transaction import Transaction


class Projection:
    """One cluster: its hosts with what is promised of each, and which task was promised what."""

    def __init__(self, hosts: list[ContainerInstance], tasks: list[Task]) -> None:
        """Take the hosts and tasks that live."""
        self.hosts: dict[str, HostLoad] = {one.arn: empty(one) for one in hosts}
        self.claims: dict[str, Claim] = {}
        self._on: dict[str, dict[str, Claim]] = {}
        # What follows from the hosts alone (see `ClusterView.kept`).
        self.kept: dict[object, object] = {}
        self.orders = Orders()
        for task in tasks:
            self.task(task)

    def view(self) -> ClusterView:
        """The cluster as it is now; later changes do not reach into it."""
        return ClusterView(dict(self.hosts), self.kept, self.orders)

    def task(self, task: Task) -> None:
        """A task was written."""
        before = self.claims.get(task.arn)
        after = None if task.is_stopped or not task.instance else claim_of(task)
        if before == after or self._reported(task.arn, before, after):
            return
        if before is not None:
            del self.claims[task.arn]
            del self._on[before.instance][task.arn]
            self._count_anew(before.instance)
        if after is not None:
            self.claims[task.arn] = after
            self._on.setdefault(after.instance, {})[task.arn] = after
            load = self.hosts.get(after.instance)
            if load is not None:
                self.hosts[after.instance] = with_claim(load, after)
                self.orders.changed(after.instance)

    def _reported(self, arn: str, before: Claim | None, after: Claim | None) -> bool:
        """Count what a report adds to a task that is counted; False where it is more than that."""
        if before is None or after is None or before.instance not in self.hosts:
            return False
        load = after_report(self.hosts[before.instance], before, after)
        if load is None:
            return False
        self.claims[arn] = self._on[before.instance][arn] = after
        if (before.running, before.reserved) != (after.running, after.reserved):
            self.hosts[before.instance] = load
            self.orders.changed(before.instance)
        return True

    def host(self, instance: ContainerInstance) -> None:
        """A host was written."""
        before = self.hosts.get(instance.arn)
        if before is not None and _is_alike(before.instance, instance):
            self.hosts[instance.arn] = evolve(before, instance=instance)
            return
        self.kept, self.orders = {}, Orders()
        if instance.status == "INACTIVE":
            self.hosts.pop(instance.arn, None)
            return
        self.hosts[instance.arn] = empty(instance)
        self._count_anew(instance.arn)

    def _count_anew(self, arn: str) -> None:
        """Promises are taken back by counting those that are left: some cannot be subtracted."""
        load = self.hosts.get(arn)
        if load is None:
            return
        load = empty(load.instance)
        for claim in self._on.get(arn, {}).values():
            load = with_claim(load, claim)
        self.hosts[arn] = load
        self.orders.changed(arn)


def recalled(tx: Transaction, cluster: str) -> Projection | None:
    """The projection of a cluster (an ARN) that is kept, or None."""
    found: Projection | None = tx.recall(_key(cluster))
    return found


def keep(tx: Transaction, cluster: str, projection: Projection) -> None:
    """Keep a projection that was made of the rows as this write sees them."""
    tx.remember(_key(cluster), projection)


def task_written(tx: Transaction, task: Task) -> None:
    """Keep up with a task's row."""
    found = recalled(tx, task.cluster_arn)
    if found is not None:
        tx.touch(_key(task.cluster_arn))
        found.task(task)


def host_written(tx: Transaction, instance: ContainerInstance) -> None:
    """Keep up with a host's row."""
    found = recalled(tx, instance.cluster_arn)
    if found is not None:
        tx.touch(_key(instance.cluster_arn))
        found.host(instance)


def differs(kept: Projection, fresh: Projection) -> list[str]:
    """What a projection says otherwise than one that was just made of the rows."""
    arns = sorted(kept.hosts.keys() | fresh.hosts.keys() | kept.claims.keys() | fresh.claims.keys())
    return [
        arn
        for arn in arns
        if kept.hosts.get(arn) != fresh.hosts.get(arn)
        or kept.claims.get(arn) != fresh.claims.get(arn)
    ]


def _key(cluster: str) -> str:
    return f"projection {cluster}"


def _is_alike(before: ContainerInstance, after: ContainerInstance) -> bool:
    """Whether only counters differ, which no decision looks at."""
    return before == evolve(after, version=before.version, sequence=before.sequence)
