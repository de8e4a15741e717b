"""One service as the planner of moves sees it, and why it may not move now."""

from collections.abc import Mapping

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.rolling import percentages, upper_limit
from moorage.ecs.rules.freeze import until_words
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.rebalancing.mode import Mode, mode_of
from moorage.ground.instant import Duration, Instant, iso, later
from moorage.ground.record import Record

# Of how many of its tasks a service moves one at once; a small service moves one.
TASKS_PER_MOVE = 10


class Case(Record):
    """One service. `freeze` is the one that holds it now, if any.

    `wants` are those of one more task of its current deployment. `on` is how many live tasks of it
    each host has, `moves` how many moves of them are under way. `tasks` are these tasks, None where
    they were not read: they are needed only where something would lie better elsewhere.
    """

    service: Service
    wants: Wants
    on: Mapping[str, int] = {}
    moves: int = 0
    tasks: tuple[Task, ...] | None = None
    freeze: Freeze | None = None

    @property
    def mode(self) -> Mode:
        """What the service wants."""
        return mode_of(self.service)

    @property
    def under_way(self) -> int:
        """How many moves are under way, or handed to the service and not begun."""
        return self.moves + len(self.service.rebalancing.planned)


class Standstill(Record):
    """Why nothing of a service moves now, in words; `until` when that ends by itself, if known."""

    why: str
    until: Instant | None = None


def standstill(case: Case, moves_max: int, pause: Duration, now: Instant) -> Standstill | None:
    """Why nothing of this service may move now, whatever its balance is; None where it may."""
    service, mode = case.service, case.mode
    if not (mode.zones or mode.hosts):
        return Standstill(why=mode.why)
    if case.freeze is not None:
        words = f'it is frozen {until_words(case.freeze)} ("{case.freeze.reason}")'
        return Standstill(why=words, until=case.freeze.until)
    if at_once(service, moves_max) <= 0:
        return Standstill(why=_no_room(service))
    if case.under_way:
        return Standstill(why="tasks of it are being moved already")
    if service.steady_at is None:
        return Standstill(why="it is not steady: a deployment or a replacement is under way")
    rest = service.rebalancing.rest_until
    if rest is not None and now < rest:
        why = f"a move of it came to nothing; nothing of it is moved until {iso(rest)}"
        return Standstill(why=why, until=rest)
    ready = later(service.steady_at, pause)
    if now < ready:
        return Standstill(
            why=f"it has only just become steady; it rests until {iso(ready)}", until=ready
        )
    return None


def at_once(service: Service, moves_max: int) -> int:
    """How many tasks of a service may move at once: a tenth of them, within its maximumPercent."""
    desired = service.desired_count
    _, maximum = percentages(service.deployment_configuration)
    spare = upper_limit(desired, maximum) - desired
    return min(moves_max, max(1, desired // TASKS_PER_MOVE), spare)


def movable(task: Task, now: Instant) -> bool:
    """Whether a task may be moved: it runs, it is in reach, and it is not protected."""
    return (
        task.last_status == "RUNNING"
        and task.desired_status == "RUNNING"
        and task.connectivity == "CONNECTED"
        and not task.is_protected(now)
    )


def _no_room(service: Service) -> str:
    if not service.desired_count:
        return "it has no tasks"
    _, maximum = percentages(service.deployment_configuration)
    return (
        f"maximumPercent {maximum} lets it run no task too many, so that none can start before "
        "another stops"
    )
