"""The cluster as placement sees it: hosts with what is promised of each."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.task import Task
from moorage.ground.record import Record, evolve

if TYPE_CHECKING:  # they are orders of what is here
    from moorage.ecs.rules.placement.orders import Orders

# Answers to `attributes[name]` for a name without a value.
NO_VALUE = ""


# Made anew for each task that is placed, in their hundred thousands; no part of one leads back to it.
class HostLoad(Record, gc=False):
    """One host and what its live tasks have been promised.

    `cpu`, `memory` and `gpus` are what remains; `ports` and `ports_udp` are taken or reserved.
    `groups` counts the live tasks of each task group, `tasks` all of them, `running` those that
    are RUNNING. `attributes` are the instance's by name. `kept_for` are the groups of daemons that
    lack a task here: what they need is not in what remains (`reservation`).
    """

    instance: ContainerInstance
    cpu: int
    memory: int
    gpus: int
    ports: frozenset[int]
    ports_udp: frozenset[int]
    attributes: Mapping[str, str]
    groups: Mapping[str, int] = {}
    tasks: int = 0
    running: int = 0
    kept_for: tuple[str, ...] = ()


class Claim(Record):
    """What one live task has been promised, and where: all that a view counts of it.

    Beside that what rebalancing counts: whether it is `of_service`, whether it `stays` (nobody has
    told it to stop), and the ARN of the task that it `replaces`, if any.
    """

    instance: str
    reserved: Resources
    group: str
    running: bool
    of_service: bool = False
    stays: bool = True
    replaces: str = ""


class ClusterView:
    """An immutable view of one cluster; each change answers a new view that shares the rest.

    Making one costs in proportion to its hosts and tasks (`store.projection` keeps them up), each
    change a copy of the table of hosts.
    """

    __slots__ = ("hosts", "kept", "number", "orders")

    def __init__(
        self,
        hosts: Mapping[str, HostLoad],
        kept: dict[object, object] | None = None,
        orders: "Orders | None" = None,
    ) -> None:
        """Take the hosts by their instances' ARNs.

        `kept` is what was worked out of the hosts alone, whatever their tasks: views that differ in
        tasks only share it (`eligible.eligible`). `orders` are those of just these hosts and tasks.
        """
        self.hosts = hosts
        self.kept: dict[object, object] = {} if kept is None else kept
        self.orders = orders
        self.number = 0 if orders is None else orders.number

    def with_promises(self, needs: Resources, group: str, arns: Iterable[str]) -> "ClusterView":
        """The view after one more task with these needs was placed on each of `arns`."""
        hosts = dict(self.hosts)
        for arn in arns:
            hosts[arn] = promised(hosts[arn], needs, group)
        return ClusterView(hosts, self.kept)

    def without_task(self, task: Task) -> "ClusterView":
        """The view without a task that it counted, with the record as it was counted."""
        load = self.hosts.get(task.instance)
        if load is None or task.is_stopped:
            return self
        counted = without_claim(load, claim_of(task))
        return ClusterView({**self.hosts, task.instance: counted}, self.kept)

    def of_provider(self, *names: str) -> "ClusterView":
        """Only the hosts of these capacity providers."""
        return ClusterView(
            {
                arn: load
                for arn, load in self.hosts.items()
                if load.instance.capacity_provider in names
            }
        )


def cluster_view(instances: Iterable[ContainerInstance], tasks: Iterable[Task]) -> ClusterView:
    """The view of the instances that are not INACTIVE and of the tasks that are not STOPPED."""
    hosts = {one.arn: empty(one) for one in instances if one.status != "INACTIVE"}
    for task in tasks:
        load = hosts.get(task.instance)
        if load is not None and not task.is_stopped:
            hosts[task.instance] = with_claim(load, claim_of(task))
    return ClusterView(hosts)


def promised(load: HostLoad, needs: Resources, group: str) -> HostLoad:
    """The host after one more task with these needs and of this group was placed on it."""
    # Written out: it is made for each task that is placed, and `evolve` takes three times as long.
    return HostLoad(
        instance=load.instance,
        cpu=load.cpu - needs.cpu,
        memory=load.memory - needs.memory,
        gpus=0 if needs.all_gpus else load.gpus - needs.gpus,
        ports=load.ports.union(needs.ports) if needs.ports else load.ports,
        ports_udp=load.ports_udp.union(needs.ports_udp) if needs.ports_udp else load.ports_udp,
        attributes=load.attributes,
        groups={**load.groups, group: load.groups.get(group, 0) + 1},
        tasks=load.tasks + 1,
        running=load.running,
    )


def empty(instance: ContainerInstance) -> HostLoad:
    """A host of which nothing is promised yet."""
    has = instance.resources
    return HostLoad(
        instance=instance,
        cpu=has.cpu,
        memory=has.memory,
        gpus=has.gpus,
        ports=frozenset(has.ports),
        ports_udp=frozenset(has.ports_udp),
        attributes={one.name: one.value or NO_VALUE for one in instance.attributes},
    )


def claim_of(task: Task) -> Claim:
    """What a live task counts for."""
    return Claim(
        instance=task.instance,
        reserved=task.reserved,
        group=task.group,
        running=task.last_status == "RUNNING",
        of_service=bool(task.service),
        stays=task.desired_status == "RUNNING",
        replaces=task.replaces,
    )


def with_claim(load: HostLoad, claim: Claim) -> HostLoad:
    """The host with one more live task."""
    counted = promised(load, claim.reserved, claim.group)
    return evolve(counted, running=load.running + 1) if claim.running else counted


def after_report(load: HostLoad, before: Claim, after: Claim) -> HostLoad | None:
    """The host after a task that it counts runs, and has chosen ports; None where more differs."""
    then, now = before.reserved, after.reserved
    grown = set(then.ports) <= set(now.ports) and set(then.ports_udp) <= set(now.ports_udp)
    alike = evolve(then, ports=now.ports, ports_udp=now.ports_udp) == now
    same = (before.instance, before.group) == (after.instance, after.group)
    if not (same and alike and grown):
        return None
    return evolve(
        load,
        ports=load.ports.union(now.ports),
        ports_udp=load.ports_udp.union(now.ports_udp),
        running=load.running + after.running - before.running,
    )


def without_claim(load: HostLoad, claim: Claim) -> HostLoad:
    """The host without a live task that it counted."""
    left = load.groups.get(claim.group, 0) - 1
    groups = {name: count for name, count in load.groups.items() if name != claim.group}
    if left > 0:
        groups[claim.group] = left
    takes = claim.reserved
    return evolve(
        load,
        cpu=load.cpu + takes.cpu,
        memory=load.memory + takes.memory,
        gpus=load.gpus + takes.gpus,
        ports=load.ports.difference(takes.ports).union(load.instance.resources.ports),
        ports_udp=load.ports_udp.difference(takes.ports_udp).union(
            load.instance.resources.ports_udp
        ),
        groups=groups,
        tasks=load.tasks - 1,
        running=load.running - claim.running,
    )
