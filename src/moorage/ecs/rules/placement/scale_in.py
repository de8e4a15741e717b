"""Which tasks stop when a service shrinks: the worst first, and what keeps the rest balanced."""

from collections.abc import Callable, Sequence

from moorage.ecs.records.task import Task
from moorage.ecs.rules.placement.view import ClusterView
from moorage.shapes.ecs.placement import PlacementStrategy


def choose_stops(
    tasks: Sequence[Task],
    count: int,
    rank: Callable[[Task], int],
    strategies: Sequence[PlacementStrategy] = (),
    view: ClusterView | None = None,
) -> list[Task]:
    """`count` of `tasks` to stop, in the order in which to stop them.

    `rank` says how good a task is; lower ones stop first. Among equals, a spread keeps its groups
    balanced, binpack empties the hosts that have most left (as `view` says), and without a
    strategy the fullest zone gives first, in it the host with most tasks of this service.
    """
    raise NotImplementedError
