"""Hosts kept in order, so that a few tasks are placed without a look at every host.

A chain of spreads over attributes, then single hosts, offers within each group the hosts without a
task of the service by what is left of them and by how many tasks they have. That order is the same
for all services that could use the same hosts, so it is kept, and hosts whose tasks have changed are
put at their new places when it is next asked for.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from moorage.ecs.rules.placement.strategy import Level, Prefix
from moorage.ecs.rules.placement.view import HostLoad

# Different orders of one cluster that are kept; the oldest makes way.
ORDERS_MAX = 32
# Beyond so many tasks at once, a look at every host costs less.
TASKS_MAX = 64

_Place = tuple[int | str, ...]


class Orders:
    """The orders of one cluster. `number` grows with each change: a view of an older one is stale."""

    def __init__(self) -> None:
        """Begin without any."""
        self.number = 0
        self._orders: dict[object, Order] = {}

    def changed(self, arn: str) -> None:
        """The tasks of a host are others now."""
        self.number += 1
        for order in self._orders.values():
            order.stale.add(arn)

    def order(
        self,
        key: object,
        made: Callable[[], "Order"],
        hosts: Mapping[str, HostLoad],
    ) -> "Order":
        """The order of that key, as `hosts` are now."""
        found = self._orders.get(key)
        if found is None:
            found = self._orders[key] = made()
            if len(self._orders) > ORDERS_MAX:
                del self._orders[next(iter(self._orders))]
        found.mend(hosts)
        return found


def figures_of(chain: Sequence[Level]) -> tuple[str, ...] | None:
    """By which figures a chain orders the hosts of a group; None where it has no fixed order."""
    kinds = [level.kind for level in chain]
    groups = sum(kind == "attribute" for kind in kinds)
    if any(kind != "attribute" for kind in kinds[:groups]) or "random" in kinds:
        return None
    # Among hosts without a task of the service, `instance` tells none apart.
    return tuple(kind for kind in kinds[groups:] if kind != "instance")


class Order:
    """Some hosts, grouped, in the order in which each group offers them."""

    def __init__(
        self, arns: Sequence[str], groups: Mapping[str, Prefix], figures: tuple[str, ...]
    ) -> None:
        """Take the hosts, the group of each, and the figures that order those of a group."""
        self._figures = figures
        self._group = {arn: groups[arn] for arn in arns}
        self._at: dict[str, _Place] = {}
        self._sorted: dict[Prefix, list[_Place]] = {group: [] for group in self._group.values()}
        self.stale: set[str] = set(arns)

    def mend(self, hosts: Mapping[str, HostLoad]) -> None:
        """Put the hosts that have changed at their places."""
        if len(self.stale) * 4 > len(self._group):
            for group in self._sorted.values():
                group.clear()
            for arn in self._group:
                self._at[arn] = self._place(hosts[arn])
                self._sorted[self._group[arn]].append(self._at[arn])
            for group in self._sorted.values():
                group.sort()
            self.stale.clear()
        for arn in self.stale & self._group.keys():
            group, before, now = (
                self._sorted[self._group[arn]],
                self._at[arn],
                self._place(hosts[arn]),
            )
            if now != before:
                del group[bisect_left(group, before)]
                insort(group, now)
                self._at[arn] = now
        self.stale.clear()

    def best(self, count: int, fits: Callable[[str], bool], least: int) -> list[str]:
        """In each group the first `count` hosts that fit; `least` of the first figure they need."""
        found: list[str] = []
        for group in self._sorted.values():
            start = bisect_left(group, (least,)) if self._figures else 0
            arns = (str(place[-1]) for place in islice(group, start, None))
            found.extend(islice(filter(fits, arns), count))
        return found

    def __contains__(self, arn: str) -> bool:
        """Whether it is one of the hosts."""
        return arn in self._group

    def _place(self, load: HostLoad) -> _Place:
        return (*(getattr(load, kind) for kind in self._figures), load.tasks, load.instance.arn)
