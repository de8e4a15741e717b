"""Which hosts could take a task at all, and which of them have room for it now.

What depends on the hosts alone (whether they are within reach, attributes, expressions about them)
is worked out once for all views of a cluster that differ in tasks only; room is looked for anew.
"""

from collections.abc import Callable, Mapping, Sequence

from moorage.ecs.rules.placement.constraint import Wants, mismatch, unavailable
from moorage.ecs.rules.placement.expression import Rejection, follows_tasks, holds, parse
from moorage.ecs.rules.placement.orders import TASKS_MAX, Order, figures_of
from moorage.ecs.rules.placement.strategy import Level, Prefix
from moorage.ecs.rules.placement.view import ClusterView, HostLoad
from moorage.ground.record import evolve

# Different wishes that one view remembers the hosts of.
KEPT_MAX = 1024


def eligible(wants: Wants, view: ClusterView) -> Sequence[str]:
    """The ARNs, in order, of hosts that could take such a task if they had room for it.

    Expressions that ask of tasks, and avoided hosts, are not looked at here.
    """
    key = _key(wants)
    found = view.kept.get(key)
    if not isinstance(found, list):
        bare = evolve(wants, members=key[2], distinct=False)
        found = sorted(
            arn
            for arn, load in view.hosts.items()
            if unavailable(load) is None and mismatch(bare, load) is None
        )
        _keep(view, key, found)
    return found


def nearest(
    wants: Wants, count: int, chain: Sequence[Level], view: ClusterView, counted: Mapping[str, int]
) -> list[HostLoad] | None:
    """Those of `with_room` of which `count` tasks could take one; None where all must be looked at.

    In each group of the chain the first `count` that have no task of the service, which is more
    than can be drawn, and all that have one.
    """
    orders, figures = view.orders, figures_of(chain)
    if orders is None or figures is None or count > TASKS_MAX or orders.number != view.number:
        return None
    groups = spread_by(chain, view)
    names = tuple(level.attribute for level in chain if level.kind == "attribute")
    order = orders.order(
        (_key(wants), names, figures),
        lambda: Order(eligible(wants, view), groups, figures),
        view.hosts,
    )
    hosts, fits = view.hosts, _fits(wants)
    found = [arn for arn in counted if arn in order and fits(hosts[arn])]
    least = getattr(wants.needs, figures[0]) if figures else 0
    found += order.best(count, lambda arn: arn not in counted and fits(hosts[arn]), least)
    return [hosts[arn] for arn in sorted(found)]


def spread_by(chain: Sequence[Level], view: ClusterView) -> Mapping[str, Prefix]:
    """The values by which a chain's spreads over attributes group each host."""
    names = tuple(level.attribute for level in chain if level.kind == "attribute")
    found = view.kept.get(names)
    if not isinstance(found, dict):
        found = {
            arn: tuple([load.attributes.get(name, "") for name in names])
            for arn, load in view.hosts.items()
        }
        _keep(view, names, found)
    return found


def with_room(wants: Wants, view: ClusterView) -> list[HostLoad]:
    """The hosts, in the order of their ARNs, that can take one such task now."""
    hosts = view.hosts
    cpu, memory, ports = wants.needs.cpu, wants.needs.memory, wants.needs.ports
    # As in `_fits`, written out: it is asked of each host of a cluster.
    loads = [
        load
        for arn in eligible(wants, view)
        if (load := hosts[arn]).cpu >= cpu
        and load.memory >= memory
        and load.ports.isdisjoint(ports)
    ]
    for test in _further(wants):
        loads = [load for load in loads if test(load)]
    return loads


def again(wants: Wants) -> Callable[[HostLoad], bool] | None:
    """Whether a host that took such a task, and is as it is now, can take another.

    None where none can: its own ports are taken then, or it is to be there once.
    """
    if wants.distinct or wants.needs.ports or wants.needs.ports_udp:
        return None
    return _fits(wants)


def _fits(wants: Wants) -> Callable[[HostLoad], bool]:
    needs, tests = wants.needs, _further(wants)
    return lambda load: (
        load.cpu >= needs.cpu
        and load.memory >= needs.memory
        and load.ports.isdisjoint(needs.ports)
        and all(test(load) for test in tests)
    )


def _key(wants: Wants) -> tuple[object, bool, tuple[str, ...]]:
    """What of a wish asks of the hosts alone."""
    fixed = tuple(text for text in wants.members if not follows_tasks(text))
    return wants.attributes, wants.host_network, fixed


def _keep(view: ClusterView, key: object, found: object) -> None:
    if len(view.kept) >= KEPT_MAX:
        view.kept.clear()
    view.kept[key] = found


def _further(wants: Wants) -> list[Callable[[HostLoad], bool]]:
    """The tests that only some tasks need."""
    needs, group, avoided = wants.needs, wants.group, wants.avoided
    tests: list[Callable[[HostLoad], bool]] = []
    if needs.ports_udp:
        tests.append(lambda load: load.ports_udp.isdisjoint(needs.ports_udp))
    if needs.gpus:
        tests.append(lambda load: load.gpus >= needs.gpus)
    if wants.distinct:
        tests.append(lambda load: not load.groups.get(group))
    if avoided:
        tests.append(lambda load: load.instance.arn not in avoided)
    tests.extend(_asked(text) for text in wants.members if follows_tasks(text))
    return tests


def _asked(text: str) -> Callable[[HostLoad], bool]:
    expression = parse(text)
    if isinstance(expression, Rejection):
        return lambda _: False
    return lambda load: holds(expression, load)


def counted_on(view: ClusterView, group: str, given: Mapping[str, int] | None) -> dict[str, int]:
    """The tasks that spreads balance, on hosts that stay: not on drained nor on lost ones."""
    hosts = view.hosts
    found = (
        {arn: load.groups[group] for arn, load in hosts.items() if group in load.groups}
        if given is None
        else {arn: count for arn, count in given.items() if arn in hosts}
    )
    return {
        arn: count
        for arn, count in found.items()
        if count and hosts[arn].instance.status == "ACTIVE" and hosts[arn].instance.lost_at is None
    }
