"""What a scheduling strategy answers, and what it is told beside the state and the census."""

from collections.abc import Callable
from typing import TypeAlias

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ecs.rules.placement.place import Placements
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ground.instant import Instant
from moorage.ground.record import Record


class Moves(Record):
    """How many tasks of the current deployment start, and which tasks stop, in order.

    `relies_on`: for how many there must be hosts: those that start, and those that shall start in
    place of tasks that leave a draining host first. `kept`: tasks that run on draining hosts and
    stay there for now. `stuck`: more are needed, and the percentages allow no move at all, now or
    by waiting. `placed` are the hosts of what starts, where the rule itself has chosen them, and
    why others could not be. `awaits_tasks`: what other tasks of the cluster do may change it all.
    """

    start: int = 0
    stop: tuple[Task, ...] = ()
    relies_on: int = 0
    kept: tuple[Task, ...] = ()
    stuck: bool = False
    placed: Placements | None = None
    awaits_tasks: bool = False


class Gates(Record):
    """What else holds moves back: `most` starts now (None: no bound), or none at all.

    `frozen`: nothing is started, because the deployment has failed or is paused. `keeps_others`:
    healthy tasks of other deployments stop for want of room alone. `enough` healthy tasks of the
    current deployment let all of those go (None: as many as are desired, as ever). `troubled` are
    the hosts (ARNs) for which alone `most` holds, since a daemon has failed there; None: for all.
    """

    most: int | None = None
    frozen: bool = False
    keeps_others: bool = False
    enough: int | None = None
    troubled: frozenset[str] | None = None


# The next moves of a service; pure, and never beyond its percentages after any single step.
MoveRule: TypeAlias = Callable[[ServiceState, Census, Gates, Instant, ClusterView | None], Moves]
