"""Which task of one service should move next, and where to: the search for one move.

Three rules, the first that finds a move decides. *Zones*: from the fullest to the emptiest, where
they are two tasks or more apart. *Hosts*: likewise, without making the zones (or other groups of
the placement strategy) more uneven. *Load*: where a move leaves the service as even as it was, from
the host that has two tasks of all services or more beyond the other. Each move makes one of these
sums smaller, and none before it larger: squares of the tasks in zones, in groups, on hosts, of all
services on hosts. So there is always a last one, and what is balanced stays.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from moorage.ecs.records.rebalancing import RelocationKind
from moorage.ecs.records.task import Task
from moorage.ecs.rules.placement.constraint import Obstacle, obstacle
from moorage.ecs.rules.placement.strategy import ATTRIBUTE_PREFIX, ZONE, levels
from moorage.ecs.rules.rebalancing.case import Case, movable
from moorage.ecs.rules.rebalancing.field import Field
from moorage.ground.instant import Instant
from moorage.ground.record import Record

# Nothing moves for less: one task more here than there is as even as it gets.
APART_MIN = 2
# How many pairs of hosts one search looks at, so that one service cannot hold up a large cluster.
TRIES_MAX = 20_000
_NOBODY_MOVES = "its tasks of the service are protected, or do not run"
_ZONE_ATTRIBUTE = ZONE.removeprefix(ATTRIBUTE_PREFIX)


class Step(Record):
    """One move: `task` to the host `target` (an ARN), for the reason `why`."""

    task: Task
    target: str
    kind: RelocationKind
    why: str


class Pair(Record):
    """Two hosts (ARNs) between which one task of a service, whichever, should move."""

    source: str
    target: str
    kind: RelocationKind
    why: str


class Balance:
    """How one service lies on the hosts, and what would be better."""

    def __init__(self, case: Case, field: Field, now: Instant) -> None:
        """Count the tasks of a service that runs as it should: on hosts, in zones, in groups."""
        self.case = case
        self.field = field
        self.blocks: dict[str, str] = {}
        self.short_zones: set[str] = set()
        self.held_zones: set[str] = set()
        self._on: dict[str, list[Task]] = {}
        self._counts = Counter[str]()
        self._groups: Counter[tuple[str, ...]] | None = None
        self._tries = 0
        self._found: dict[str, Obstacle | None] = {}
        self._any_moves = False
        self._is_told = False
        chain = levels(case.service.placement_strategy)
        self._names = [one.attribute for one in chain if one.kind == "attribute"]
        if case.mode.zones and _ZONE_ATTRIBUTE not in self._names:
            self._names.insert(0, _ZONE_ATTRIBUTE)
        for arn, count in case.on.items():
            if arn in field.loads:
                self._counts[arn] += count
        for task in case.tasks or ():
            if task.instance in field.loads and movable(task, now):
                self._on.setdefault(task.instance, []).append(task)
        for tasks in self._on.values():
            tasks.sort(key=lambda task: (task.created_at, task.arn))

    def next(self) -> Step | None:
        """The next move, or None where nothing is to be moved, or nothing can be.

        In the latter case `blocks` says why, by the names of hosts.
        """
        pair = self._search()
        if pair is None:
            return None
        task = self._on[pair.source][-1]
        return Step(task=task, target=pair.target, kind=pair.kind, why=pair.why)

    def is_even(self) -> bool:
        """Whether `next` finds nothing to move, and nothing to say, whichever tasks may move.

        To be asked before the case has its tasks. It holds for as long as the field stays as it is.
        """
        self._any_moves, self._is_told = True, False
        pair = self._search()
        self._any_moves = False
        return pair is None and not self._is_told and not self._is_spent

    def apply(self, step: Step) -> None:
        """Count a move as done here; what the hosts hold is the field's business."""
        self._on[step.task.instance].remove(step.task)
        self._count(step.task.instance, -1)
        self._count(step.target, 1)

    def in_zones(self) -> list[tuple[str, int]]:
        """How many tasks each zone has, those that take tasks and have none too."""
        counts = self._zones()
        return sorted(counts.items(), key=lambda one: (-one[1], one[0]))

    # --- the three rules -------------------------------------------------------------------------

    def _search(self) -> Pair | None:
        self.blocks, self._tries, self._found = {}, 0, {}
        self.short_zones, self.held_zones = set(), set()
        mode = self.case.mode
        if mode.zones and (pair := self._between_zones()):
            return pair
        if mode.hosts and (pair := self._between_hosts() or self._by_load()):
            return pair
        if self._is_spent:
            self.blocks["the cluster"] = (
                f"{TRIES_MAX} pairs of hosts were tried, and there are more"
            )
        return None

    def _between_zones(self) -> Pair | None:
        counts = self._zones()
        if not counts or max(counts.values()) - min(counts.values()) < APART_MIN:
            return None
        fullest = sorted(counts, key=lambda zone: (-counts[zone], zone))
        sources_in, targets_in = self._by_zone(self._sources()), self._by_zone(self._targets())
        for source_zone in fullest:
            for target_zone in reversed(fullest):
                if counts[source_zone] - counts[target_zone] < APART_MIN or self._is_spent:
                    break
                self._tries += 1
                sources = sources_in.get(source_zone, [])
                targets = targets_in.get(target_zone, [])
                for source, target in self._pairs(sources, targets):
                    why = (
                        f"from the host {self.field.name(source)} in {source_zone} "
                        f"({counts[source_zone]} tasks of the service) to the host "
                        f"{self.field.name(target)} in {target_zone} ({counts[target_zone]})"
                    )
                    return Pair(source=source, target=target, kind="zone", why=why)
                if targets and not any(self._on.get(arn) for arn in sources):
                    self.held_zones.add(source_zone)
                elif any(self._lacks_room(arn) for arn in targets):
                    self.short_zones.add(target_zone)
        return None

    def _between_hosts(self) -> Pair | None:
        counts = self._counts
        least = self._least()
        fullest = max(counts.values(), default=0)
        if fullest - least < APART_MIN:
            return None
        targets = self._targets()
        for source in self._sources():
            if counts[source] - least < APART_MIN:
                break
            for _, target in self._pairs([source], self._emptier(source, targets)):
                why = (
                    f"from the host {self.field.name(source)} ({counts[source]} tasks of the "
                    f"service) to the host {self.field.name(target)} ({counts[target]})"
                )
                return Pair(source=source, target=target, kind="host", why=why)
        return None

    def _emptier(self, source: str, targets: Sequence[str]) -> Iterator[str]:
        for target in targets:
            if self._counts[source] - self._counts[target] < APART_MIN or self._is_spent:
                return
            self._tries += 1
            if self._keeps_groups(source, target):
                yield target

    def _by_load(self) -> Pair | None:
        totals, lowest = self.field.totals, self.field.lowest
        sources = sorted(
            (arn for arn in self._counts if totals[arn] - lowest >= APART_MIN),
            key=lambda arn: (-totals[arn], arn),
        )
        takers: dict[int, list[str]] = {}
        for arn in self.field.by_total if sources else ():
            takers.setdefault(self._counts.get(arn, 0), []).append(arn)
        for source in sources:
            fewer = takers.get(self._counts[source] - 1, [])
            for _, target in self._pairs([source], self._idler(source, fewer), silent=True):
                why = (
                    f"from the host {self.field.name(source)} ({totals[source]} tasks of services) "
                    f"to the host {self.field.name(target)} ({totals[target]})"
                )
                return Pair(source=source, target=target, kind="load", why=why)
        return None

    def _idler(self, source: str, fewer: Sequence[str]) -> Iterator[str]:
        """Hosts with a lighter load, on which the service would lie just as evenly.

        `fewer` are those with just one task of the service less, the idlest first.
        """
        field = self.field
        for target in fewer:
            if field.totals[source] - field.totals[target] < APART_MIN or self._is_spent:
                return
            self._tries += 1
            if self._keeps_groups(source, target) and field.free_share(
                target, self.case.wants.needs
            ) >= field.free_share(source):
                yield target

    # --- what they share -------------------------------------------------------------------------

    @property
    def _is_spent(self) -> bool:
        return self._tries >= TRIES_MAX

    def _by_zone(self, arns: Iterable[str]) -> dict[str, list[str]]:
        """Hosts by their zone, each zone's in the order in which they are given."""
        found: dict[str, list[str]] = {}
        for arn in arns:
            found.setdefault(self.field.zone(arn), []).append(arn)
        return found

    def _pairs(
        self, sources: Iterable[str], targets: Iterable[str], *, silent: bool = False
    ) -> Iterator[tuple[str, str]]:
        """The pairs between which a task can move now; what cannot is noted, unless `silent`."""
        for source in sources:
            for target in targets:
                if self._is_spent:
                    return
                self._tries += 1
                self._is_told = self._is_told or not silent
                if not (self._any_moves or self._on.get(source)):
                    self._note(source, _NOBODY_MOVES, silent=silent)
                    break
                hindrance = self._hindrance(target)
                if hindrance is not None:
                    said = f"{hindrance.reason} ({hindrance.detail})".replace(" ()", "")
                    self._note(target, f"it cannot take one more: {said}", silent=silent)
                elif self._same_provider(source, target):
                    yield source, target

    def _note(self, host: str, why: str, *, silent: bool) -> None:
        if not silent:
            self.blocks[self.field.name(host)] = why

    def _hindrance(self, target: str) -> Obstacle | None:
        if target not in self._found:
            self._found[target] = obstacle(self.case.wants, self.field.loads[target])
        return self._found[target]

    def _lacks_room(self, target: str) -> bool:
        found = self._found.get(target)
        return found is not None and found.reason.startswith("RESOURCE:")

    def _same_provider(self, source: str, target: str) -> bool:
        """Whether the hosts of a move are of one provider, or the target is anybody's.

        What was placed by a capacity provider stays with it. And the hosts of a provider come and go
        with the work that asks for it: moved there, other tasks would keep them for good.
        """
        loads = self.field.loads
        theirs = loads[target].instance.capacity_provider
        if theirs == loads[source].instance.capacity_provider:
            return True
        return not theirs and not self.case.service.capacity_provider_strategy

    def _keeps_groups(self, source: str, target: str) -> bool:
        """Whether a move makes no group of the strategy larger that has as many already."""
        groups = self._grouped()
        return all(
            mine == other or groups[mine] - groups[other] >= 1
            for mine, other in zip(self._keys(source), self._keys(target), strict=True)
        )

    def _sources(self) -> list[str]:
        """The hosts with tasks of the service, those with most of them first."""
        counts = self._counts
        held = (arn for arn, count in counts.items() if count > 0)
        return sorted(held, key=lambda arn: (-counts[arn], -self.field.totals[arn], arn))

    def _least(self) -> int:
        """The fewest tasks of the service that a host has which takes more."""
        held = [count for arn, count in self._counts.items() if arn in self.field.open]
        return min(held, default=0) if len(held) == len(self.field.takers) else 0

    def _targets(self) -> list[str]:
        """The hosts that take tasks, those with the fewest of the service first."""
        counts, totals = self._counts, self.field.totals
        return sorted(self.field.takers, key=lambda arn: (counts[arn], totals[arn], arn))

    def _zones(self) -> Counter[str]:
        zones = Counter[str](dict.fromkeys(self.field.taker_zones, 0))
        for arn, count in self._counts.items():
            zones[self.field.zone(arn)] += count
        return zones

    def _keys(self, arn: str) -> list[tuple[str, ...]]:
        attributes = self.field.loads[arn].attributes
        values = [attributes.get(name, "") for name in self._names]
        return [tuple(values[: depth + 1]) for depth in range(len(values))]

    def _grouped(self) -> Counter[tuple[str, ...]]:
        """How many tasks the groups of the strategy have: counted once a pair of hosts is looked at."""
        if self._groups is None:
            self._groups = Counter()
            for arn, count in self._counts.items():
                for key in self._keys(arn):
                    self._groups[key] += count
        return self._groups

    def _count(self, arn: str, change: int) -> None:
        groups = self._grouped()
        self._counts[arn] += change
        for key in self._keys(arn):
            groups[key] += change
