"""In which order hosts are offered: spread, binpack, random, chained up to five.

A chain is a tree: each level groups the hosts that are left by one strategy's key, and the best
group is entered. Groups lie in heaps, so that drawing a host costs in proportion to the length of
the chain, not to the number of hosts.
"""

import heapq
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.expression import Rejection, parse
from moorage.ecs.rules.placement.view import HostLoad
from moorage.ecs.rules.refusal import Refusal, invalid
from moorage.ground.record import Record
from moorage.shapes.ecs.placement import PlacementConstraint, PlacementStrategy
from moorage.shapes.ecs.task_definition import TaskDefinitionPlacementConstraint

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


# Ranks are numbers: tasks and places of hosts take so many bits each, what is left of a host more.
_BITS = 20
_MASK = (1 << _BITS) - 1
_FIGURE_BITS = 40

# The values of a host by which the spreads over attributes of a chain group it.
Prefix: TypeAlias = tuple[str, ...]
# What a level groups hosts by: values of attributes, or a number; never both in one heap.
Key: TypeAlias = Prefix | int


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


def refuse_together(
    definition: Sequence[TaskDefinitionPlacementConstraint] | None,
    given: Sequence[PlacementConstraint] | None,
) -> Refusal | None:
    """Why a task cannot have the constraints of its definition and those of a call, or None.

    RunTask, placementConstraints: "up to 10 constraints for each task (including constraints in the
    task definition and those specified at runtime)".
    """
    if len(definition or ()) + len(given or ()) <= CONSTRAINTS_MAX:
        return None
    return invalid(
        f"The maximum number of placement constraints is {CONSTRAINTS_MAX}, those of the task "
        "definition included."
    )


def draws(strategies: Sequence[PlacementStrategy]) -> bool:
    """Whether `Batch.numbers` are needed: one strategy is `random`."""
    return any(one.type == "random" for one in strategies)


class Offers:
    """The hosts that can take one more task, in the order in which a chain of levels offers them.

    Lives as long as one call of `place`, and knows hosts by their places in `loads`. The levels at
    the chain's end that look at single hosts (instance, cpu, memory) make one rank; each level
    before them is a level of the tree.
    """

    def __init__(self, chain: Sequence[Level], loads: Sequence[HostLoad], needs: Resources) -> None:
        """Take the chain, the hosts to offer, and what one task takes of its host."""
        end = len(chain)
        while end and chain[end - 1].kind in _OF_ONE_HOST:
            end -= 1
        self.chain = tuple(chain[:end])
        self.width = sum(level.kind == "attribute" for level in self.chain)
        # Tasks on the host are looked at in any case, after all else.
        self._ranking = [level.kind for level in chain[end:] if level.kind != "instance"]
        self._instance_at = next(
            (at for at, level in enumerate(chain[end:]) if level.kind == "instance"), None
        )
        # How many of the prefix's values a level looks at.
        self._lengths = [
            sum(one.kind == "attribute" for one in self.chain[: depth + 1])
            for depth in range(len(self.chain))
        ]
        self._loads = loads
        self._needs = needs
        self._placed: dict[int, int] = {}
        self._on_host: dict[int, int] = {}
        self._counts: dict[Prefix, int] = {}
        self._prefixes: Sequence[Prefix] = ()
        self._root = _Node(self, 0)

    def count(self, prefix: Prefix, tasks: int) -> None:
        """Count tasks on a host of these values, offered or not."""
        for length in range(1, len(prefix) + 1):
            key = prefix[:length]
            self._counts[key] = self._counts.get(key, 0) + tasks

    def begin(self, prefixes: Sequence[Prefix], on_host: dict[int, int]) -> None:
        """Offer all hosts: their values of `attributes`, and the tasks that spreads balance."""
        self._prefixes = prefixes
        self._on_host = on_host
        self._root.fill(range(len(self._loads)))

    def take(self, number: int = 0) -> int | None:
        """The best host, no longer offered; None where none is left. Its group has one task more."""
        place = self._root.take(number)
        if place is not None and self.width:
            self.count(self._prefixes[place], 1)
        return place

    def again(self, place: int) -> None:
        """Offer a host that was taken once more, with the task that it has got."""
        self._placed[place] = self._placed.get(place, 0) + 1
        self._on_host[place] = self._on_host.get(place, 0) + 1
        self._root.add(place)

    def key(self, depth: int, place: int) -> Key:
        """By what the level at `depth` groups a host: values of attributes, or a number."""
        kind = self.chain[depth].kind
        if kind == "attribute":
            return self._prefixes[place][: self._lengths[depth]]
        return self._figure(kind, place)

    def grouped(self, depth: int, places: Sequence[int]) -> dict[Key, list[int]]:
        """Hosts by their keys at `depth`."""
        found: defaultdict[Key, list[int]] = defaultdict(list)
        prefixes = self._prefixes
        if self.chain[depth].kind == "attribute" and self._lengths[depth] == self.width:
            for place in places:
                found[prefixes[place]].append(place)
        else:
            for place in places:
                found[self.key(depth, place)].append(place)
        return found

    def weight(self, key: Key) -> int:
        """How far back a group stands: how many tasks it has, or the number that it is."""
        return key if isinstance(key, int) else self._counts.get(key, 0)

    def ranks(self, places: Sequence[int]) -> list[int]:
        """The places of hosts within their group as numbers, the emptier ones first among equals.

        Before any task is placed, when all are offered; later `rank` gives that of one host.
        The last bits are the host's own place. Numbers are compared in a tenth of the time of
        tuples, and there is one for each host of a cluster.
        """
        loads, counted = self._loads, self._on_host
        if not counted and not self._ranking:  # a service that begins, spread over hosts
            return [loads[place].tasks << _BITS | place for place in places]
        own = [counted.get(place, 0) for place in places] if counted else [0] * len(places)
        ranks = [0] * len(places)
        for at, kind in enumerate(self._ranking):
            if at == self._instance_at:
                ranks = [rank << _BITS | count for rank, count in zip(ranks, own, strict=True)]
            figures = [getattr(loads[place], kind) for place in places]
            ranks = [rank << _FIGURE_BITS | one for rank, one in zip(ranks, figures, strict=True)]
        return [
            ((rank << _BITS | count) << _BITS | loads[place].tasks) << _BITS | place
            for rank, count, place in zip(ranks, own, places, strict=True)
        ]

    def rank(self, place: int) -> int:
        """The place of one host."""
        own = self._on_host.get(place, 0)
        rank = 0
        for at, kind in enumerate(self._ranking):
            if at == self._instance_at:
                rank = rank << _BITS | own
            rank = rank << _FIGURE_BITS | self._figure(kind, place)
        tasks = self._loads[place].tasks + self._placed.get(place, 0)
        return ((rank << _BITS | own) << _BITS | tasks) << _BITS | place

    def _figure(self, kind: str, place: int) -> int:
        if kind == "instance":
            return self._on_host.get(place, 0)
        load, placed = self._loads[place], self._placed.get(place, 0)
        if kind == "cpu":
            return load.cpu - placed * self._needs.cpu
        return load.memory - placed * self._needs.memory


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
        self.ranked: list[int] = []
        self.bag: list[int] = []

    def fill(self, places: Sequence[int]) -> None:
        """Take many hosts at once; this node has none yet."""
        self.size = len(places)
        if self.ends:
            self.ranked = self.offers.ranks(places)
            heapq.heapify(self.ranked)
            return
        if self.random:
            self.bag = list(places)
            return
        grouped = self.offers.grouped(self.depth, places)
        for key, group in grouped.items():
            self.groups[key] = _Node(self.offers, self.depth + 1)
            self.groups[key].fill(group)
        self.order = [(self.offers.weight(key), key) for key in grouped]
        heapq.heapify(self.order)

    def add(self, place: int) -> None:
        self.size += 1
        if self.ends:
            heapq.heappush(self.ranked, self.offers.rank(place))
        elif self.random:
            self.bag.append(place)
        else:
            key = self.offers.key(self.depth, place)
            group = self.groups.get(key)
            if group is None:
                group = self.groups[key] = _Node(self.offers, self.depth + 1)
                heapq.heappush(self.order, (self.offers.weight(key), key))
            group.add(place)

    def take(self, number: int) -> int | None:
        if self.size == 0:
            return None
        self.size -= 1
        if self.ends:
            return heapq.heappop(self.ranked) & _MASK
        if self.random:
            at = number % len(self.bag)
            self.bag[at], self.bag[-1] = self.bag[-1], self.bag[at]
            return self.bag.pop()
        return self._best().take(number)

    def _best(self) -> "_Node":
        """The best group that has hosts; weights that grew since they were written are mended."""
        order, groups, weight = self.order, self.groups, self.offers.weight
        while order:
            known, key = order[0]
            group, now = groups[key], weight(key)
            if group.size == 0:
                heapq.heappop(order)
                del groups[key]
            elif now != known:
                heapq.heapreplace(order, (now, key))
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
