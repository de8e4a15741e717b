"""Which tasks stop when a service shrinks: the worst first, and what keeps the rest balanced.

The tasks that stay are chosen rather than those that go: each group of a spread keeps its best
ones in turn, so that the tasks at the end of that order are the surplus of the fullest groups.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, zip_longest

from moorage.ecs.records.task import Task
from moorage.ecs.rules.placement.strategy import ATTRIBUTE_PREFIX, ZONE, Level, levels
from moorage.ecs.rules.placement.view import ClusterView, HostLoad
from moorage.shapes.ecs.placement import PlacementStrategy

_ZONE_ATTRIBUTE = ZONE.removeprefix(ATTRIBUTE_PREFIX)


def choose_stops(
    tasks: Sequence[Task],
    count: int,
    rank: Callable[[Task], int],
    strategies: Sequence[PlacementStrategy] = (),
    view: ClusterView | None = None,
) -> list[Task]:
    """`count` of `tasks` to stop, in the order in which to stop them.

    `rank` says how good a task is; lower ones stop first. Among equals, a spread keeps its groups
    balanced, binpack empties the hosts that will have most left once the task is gone (as `view`
    says), and without a strategy the fullest zone gives first, in it the host with most tasks of
    this service. Of what is equal in all this, the newest task goes. A task that must not go is
    given a higher rank than all that may, so that it counts for the balance.
    """
    if count <= 0:
        return []
    hosts = view.hosts if view is not None else {}
    keep = _Keeping(rank, levels(strategies), lambda task: hosts.get(task.instance))
    order = keep.order(sorted(tasks, key=lambda task: (task.created_at, task.arn)), 0)
    place = {task.arn: index for index, task in enumerate(order)}
    going = sorted(tasks, key=lambda task: (rank(task), -place[task.arn]))
    return going[:count]


class _Keeping:
    """Orders tasks by how much a chain of strategies wants to keep them, the dearest first."""

    def __init__(
        self,
        rank: Callable[[Task], int],
        strategies: Sequence[Level],
        load: Callable[[Task], HostLoad | None],
    ) -> None:
        self.rank = rank
        self.chain = strategies
        self.load = load

    def order(self, tasks: Iterable[Task], depth: int) -> list[Task]:
        """Better tasks first; among equals as the level at `depth` and those below want it."""
        ordered = list(tasks) if depth == len(self.chain) else self._by_level(tasks, depth)
        return sorted(ordered, key=lambda task: -self.rank(task))

    def _by_level(self, tasks: Iterable[Task], depth: int) -> list[Task]:
        level = self.chain[depth]
        groups: dict[str, list[Task]] = {}
        for task in tasks:
            groups.setdefault(self._key(level, task), []).append(task)
        below = [self.order(groups[key], depth + 1) for key in self._sequence(level, groups)]
        if level.kind in {"cpu", "memory", "random"}:
            return list(chain.from_iterable(below))
        rounds = zip_longest(*below)
        return [task for one in rounds for task in one if task is not None]

    def _key(self, level: Level, task: Task) -> str:
        if level.kind == "random":
            return ""
        if level.kind != "attribute":
            return task.instance
        load = self.load(task)
        if load is not None:
            return load.attributes.get(level.attribute, "")
        return task.zone if level.attribute == _ZONE_ATTRIBUTE else ""

    def _sequence(self, level: Level, groups: dict[str, list[Task]]) -> list[str]:
        """Groups in the order in which they keep: binpack keeps the hosts with least left."""
        if level.kind in {"attribute", "instance", "random"}:
            return sorted(groups)
        return sorted(groups, key=lambda key: (self._left(level, groups[key][-1]), key))

    def _left(self, level: Level, task: Task) -> int:
        """What the task's host will have left without it."""
        load = self.load(task)
        if load is None:
            return 0
        if level.kind == "cpu":
            return load.cpu + task.reserved.cpu
        return load.memory + task.reserved.memory
