"""In which order hosts are offered: spread, binpack, random, chained up to five.

A chain is a tree: each level groups the hosts that are left by one strategy's key, and the best
group is entered. Groups lie in heaps, so that drawing a host costs in proportion to the length of
the chain, not to the number of hosts.
"""

import heapq
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from moorage.ecs.rules.placement.expression import Rejection, parse
from moorage.ecs.rules.placement.view import HostLoad
from moorage.ecs.rules.refusal import Refusal, invalid
from moorage.ground.record import Record
from moorage.shapes.ecs.placement import PlacementConstraint, PlacementStrategy

STRATEGIES_MAX = 5
CONSTRAINTS_MAX = 10
ATTRIBUTE_PREFIX = "attribute:"
ZONE = "attribute:ecs.availability-zone"
_OF_ONE_HOST = frozenset({"instance", "cpu", "memory"})
_INSTANCE_FIELDS = frozenset({"instanceid", "host"})
# ECS's default for services: zones first, then the hosts with the fewest tasks of the service.
DEFAULT = (
    PlacementStrategy(type="spread", field=ZONE),
    PlacementStrategy(type="spread", field="instanceId"),
)


# What a level groups hosts by: values of attributes, or a number; never both in one heap.
Key: TypeAlias = tuple[str, ...] | int


class Level(Record):
    """One strategy, read: by which key it groups hosts.

    `kind` is `attribute` (spread over its values), `instance` (spread over hosts), `cpu` or
    `memory` (binpack), or `random`.
    """

    kind: str
    attribute: str = ""


def levels(strategies: Sequence[PlacementStrategy]) -> tuple[Level, ...]:
    """The levels of a chain that `refuse_strategies` let pass; the default where it is empty."""
    return tuple(_level(one) for one in strategies or DEFAULT)


def refuse_strategies(strategies: Sequence[PlacementStrategy]) -> Refusal | None:
    """Why these strategies cannot be asked for, or None."""
    if len(strategies) > STRATEGIES_MAX:
        return invalid(f"The maximum number of placement strategies is {STRATEGIES_MAX}.")
    return next((wrong for one in strategies if (wrong := _refuse_strategy(one))), None)


def refuse_constraints(constraints: Sequence[PlacementConstraint]) -> Refusal | None:
    """Why these constraints cannot be asked for (an expression that does not parse), or None."""
    if len(constraints) > CONSTRAINTS_MAX:
        return invalid(f"The maximum number of placement constraints is {CONSTRAINTS_MAX}.")
    return next((wrong for one in constraints if (wrong := _refuse_constraint(one))), None)


def draws(strategies: Sequence[PlacementStrategy]) -> bool:
    """Whether `Batch.numbers` are needed: one strategy is `random`."""
    return any(one.type == "random" for one in strategies)


class Offers:
    """The hosts that can take one more task, in the order in which a chain of levels offers them.

    Lives as long as one call of `place`. The levels at the chain's end that look at single hosts
    (instance, cpu, memory) make one rank; each level before them is a level of the tree.
    """

    def __init__(self, chain: Sequence[Level], hosts: Mapping[str, HostLoad]) -> None:
        """Take the chain, and the hosts whose attributes group them."""
        end = len(chain)
        while end and chain[end - 1].kind in _OF_ONE_HOST:
            end -= 1
        self.chain = tuple(chain[:end])
        self.ranking = tuple(level.kind for level in chain[end:])
        attributes = [level.attribute for level in self.chain if level.kind == "attribute"]
        # How many of the prefix's values a level looks at.
        self._lengths = [
            sum(one.kind == "attribute" for one in self.chain[: depth + 1])
            for depth in range(len(self.chain))
        ]
        self._prefixes = {
            arn: tuple(load.attributes.get(name, "") for name in attributes)
            for arn, load in hosts.items()
        }
        self._counts: dict[tuple[str, ...], int] = {}
        self._on_host: dict[str, int] = {}
        self._root = _Node(self, 0)

    def count(self, arn: str, tasks: int = 1) -> None:
        """Count tasks on a host; a host's own count may only change while it is not offered."""
        self._on_host[arn] = self._on_host.get(arn, 0) + tasks
        prefix = self._prefixes[arn]
        for length in range(1, len(prefix) + 1):
            key = prefix[:length]
            self._counts[key] = self._counts.get(key, 0) + tasks

    def add(self, arn: str, load: HostLoad) -> None:
        """Offer a host."""
        self._root.add(arn, load)

    def take(self, number: int = 0) -> str | None:
        """The best host, no longer offered; None where none is left."""
        return self._root.take(number)

    def key(self, depth: int, arn: str, load: HostLoad) -> Key:
        """By what the level at `depth` groups a host: values of attributes, or a number."""
        kind = self.chain[depth].kind
        if kind == "attribute":
            return self._prefixes[arn][: self._lengths[depth]]
        return self._figure(kind, arn, load)

    def weight(self, key: Key) -> int:
        """How far back a group stands: how many tasks it has, or the number that it is."""
        return key if isinstance(key, int) else self._counts.get(key, 0)

    def rank(self, arn: str, load: HostLoad) -> tuple[tuple[int, ...], str]:
        """The place of a host within its group; the emptier ones first among equals."""
        figures = [self._figure(kind, arn, load) for kind in self.ranking]
        return (*figures, self._on_host.get(arn, 0), load.tasks), arn

    def _figure(self, kind: str, arn: str, load: HostLoad) -> int:
        if kind == "instance":
            return self._on_host.get(arn, 0)
        return load.cpu if kind == "cpu" else load.memory


class _Node:
    """The hosts of one group, grouped by the next level; below the last, in their final order."""

    __slots__ = ("bag", "depth", "ends", "groups", "offers", "order", "random", "ranked", "size")

    def __init__(self, offers: Offers, depth: int) -> None:
        self.offers = offers
        self.depth = depth
        self.size = 0
        self.ends = depth == len(offers.chain)
        self.random = not self.ends and offers.chain[depth].kind == "random"
        self.groups: dict[Key, _Node] = {}
        self.order: list[tuple[int, Key]] = []
        self.ranked: list[tuple[tuple[int, ...], str]] = []
        self.bag: list[str] = []

    def add(self, arn: str, load: HostLoad) -> None:
        self.size += 1
        if self.ends:
            heapq.heappush(self.ranked, self.offers.rank(arn, load))
        elif self.random:
            self.bag.append(arn)
        else:
            key = self.offers.key(self.depth, arn, load)
            group = self.groups.get(key)
            if group is None:
                group = self.groups[key] = _Node(self.offers, self.depth + 1)
                heapq.heappush(self.order, (self.offers.weight(key), key))
            group.add(arn, load)

    def take(self, number: int) -> str | None:
        if self.size == 0:
            return None
        self.size -= 1
        if self.ends:
            return heapq.heappop(self.ranked)[1]
        if self.random:
            place = number % len(self.bag)
            self.bag[place], self.bag[-1] = self.bag[-1], self.bag[place]
            return self.bag.pop()
        return self._best().take(number)

    def _best(self) -> "_Node":
        """The best group that has hosts; weights that grew since they were written are mended."""
        while self.order:
            weight, key = self.order[0]
            group = self.groups[key]
            now = self.offers.weight(key)
            if group.size == 0:
                heapq.heappop(self.order)
                del self.groups[key]
            elif now != weight:
                heapq.heapreplace(self.order, (now, key))
            else:
                return group
        raise AssertionError("a node that has hosts has a group that has them")


def _level(strategy: PlacementStrategy) -> Level:
    field = strategy.field or ""
    if strategy.type == "random":
        return Level(kind="random")
    if strategy.type == "binpack":
        return Level(kind=field.lower())
    if field.lower() in _INSTANCE_FIELDS:
        return Level(kind="instance")
    return Level(kind="attribute", attribute=field.removeprefix(ATTRIBUTE_PREFIX))


def _refuse_strategy(strategy: PlacementStrategy) -> Refusal | None:
    field = strategy.field or ""
    if strategy.type == "random":
        return invalid("The random placement strategy takes no field.") if field else None
    if strategy.type == "binpack":
        known = field.lower() in {"cpu", "memory"}
        return None if known else invalid("The binpack placement strategy takes cpu or memory.")
    if strategy.type == "spread":
        named = field.startswith(ATTRIBUTE_PREFIX) and field != ATTRIBUTE_PREFIX
        known = named or field.lower() in _INSTANCE_FIELDS
        return (
            None
            if known
            else invalid("The spread placement strategy takes instanceId, host or attribute:NAME.")
        )
    return invalid(f"Unknown placement strategy type: {strategy.type}.")


def _refuse_constraint(constraint: PlacementConstraint) -> Refusal | None:
    if constraint.type == "distinctInstance":
        wrong = bool(constraint.expression)
        return invalid("distinctInstance takes no expression.") if wrong else None
    if constraint.type != "memberOf":
        return invalid(f"Unknown placement constraint type: {constraint.type}.")
    return refuse_expression(constraint.expression)


def refuse_expression(text: str | None) -> Refusal | None:
    """Why a text cannot be the expression of memberOf, or of a filter, or None."""
    if not text:
        return invalid("The memberOf placement constraint needs an expression.")
    parsed = parse(text)
    if isinstance(parsed, Rejection):
        return invalid(f"Invalid expression at character {parsed.position}: {parsed.message}")
    return None
