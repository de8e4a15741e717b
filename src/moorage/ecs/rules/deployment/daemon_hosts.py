"""The hosts of a cluster as a daemon service sees them: where its tasks belong, and where not.

A daemon belongs on every ACTIVE host that has the attributes its definition needs and of which its
constraints are true; a host that is away or suspect takes none, and keeps the one it has. On a
DRAINING host it stays for as long as any other task is there, and goes last. A host that is lost is
none of these: nobody knows what runs there. Constraints are asked as if the daemon's own tasks were
not there, or `runningTasksCount < 5` would start and stop them in turn.
"""

from collections.abc import Collection, Iterable, Mapping

from moorage.ecs.records.task import Task
from moorage.ecs.rules.placement.constraint import Wants, follows, mismatch, unavailable
from moorage.ecs.rules.placement.view import ClusterView, HostLoad
from moorage.ground.record import Record


class DaemonHosts(Record):
    """The hosts of a cluster, for one daemon service; all sets are of ARNs.

    On each of `targets` one task belongs; those that are `able` could take it now. Of the hosts
    that are being drained, `occupied` ones still have tasks that are no daemon's. `follows_tasks`:
    its constraints look at other tasks, so that time alone may change the answer.
    """

    view: ClusterView
    wants: Wants
    targets: Mapping[str, HostLoad]
    able: frozenset[str]
    occupied: frozenset[str] = frozenset()
    live: frozenset[str] = frozenset()
    follows_tasks: bool = False


def survey(
    view: ClusterView, wants: Wants, own: Iterable[Task], daemons: Collection[str]
) -> DaemonHosts:
    """Where one task of a daemon service belongs.

    `own` are its live tasks, each as `view` counts it; `daemons` are the groups of all daemon
    services of the cluster.
    """
    tasks: dict[str, list[Task]] = {}
    for task in own:
        if not task.is_stopped:
            tasks.setdefault(task.instance, []).append(task)
    follows_tasks = follows(wants)
    of_tasks = follows_tasks or wants.distinct  # else a host is the same with them and without
    targets: dict[str, HostLoad] = {}
    able: set[str] = set()
    occupied: set[str] = set()
    live: set[str] = set()
    for arn, load in view.hosts.items():
        if load.instance.lost_at is not None:
            continue
        live.add(arn)
        mine = tasks.get(arn, [])
        if load.instance.status != "ACTIVE":
            if others(load, daemons):
                occupied.add(arn)
            continue
        if mismatch(wants, without(load, mine) if of_tasks else load) is not None:
            continue
        can = unavailable(load) is None
        if can or any(task.desired_status == "RUNNING" for task in mine):
            targets[arn] = load
            able.update([arn] if can else ())
    return DaemonHosts(
        view=view,
        wants=wants,
        targets=targets,
        able=frozenset(able),
        occupied=frozenset(occupied),
        live=frozenset(live),
        follows_tasks=follows_tasks,
    )


def lacking(hosts: DaemonHosts) -> ClusterView:
    """The hosts where a task of the daemon belongs and none is yet."""
    group = hosts.wants.group
    return ClusterView(
        {arn: load for arn, load in hosts.targets.items() if not load.groups.get(group)}
    )


def others(load: HostLoad, daemons: Collection[str]) -> int:
    """How many live tasks on a host are of no daemon service; `daemons` are the groups of those."""
    return sum(count for group, count in load.groups.items() if group not in daemons)


def without(load: HostLoad, tasks: Iterable[Task]) -> HostLoad:
    """The host as if these tasks, which it counts, were not there."""
    arn = load.instance.arn
    view = ClusterView({arn: load})
    for task in tasks:
        view = view.without_task(task)
    return view.hosts[arn]
