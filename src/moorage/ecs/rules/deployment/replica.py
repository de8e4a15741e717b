"""Which tasks of a REPLICA service start and stop now.

Start-first: replacements start within maximumPercent, and a leaving task stops once there are as
many healthy ones as desired. Where nothing can start for want of room, leaving tasks stop first,
down to minimumHealthyPercent. All invariants hold after every single step, so that a plan may be
interrupted anywhere: healthy tasks never fall below the minimum by our own doing, and there are
never more tasks than the maximum.
"""

from collections.abc import Sequence

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.health import Standing
from moorage.ecs.rules.deployment.moves import Gates, Moves
from moorage.ecs.rules.deployment.protection import is_held
from moorage.ecs.rules.deployment.rolling import budget, lower_limit, percentages
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ecs.rules.deployment.surplus import surplus
from moorage.ecs.rules.placement.scale_in import choose_stops
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ground.instant import Instant


def moves(
    state: ServiceState,
    census: Census,
    gates: Gates,
    now: Instant,
    view: ClusterView | None = None,
) -> Moves:
    """The next moves of a service."""
    desired = state.service.desired_count
    needed = 0 if gates.frozen else max(0, desired - len(census.staying))
    allowed = budget(desired, *percentages(state.service.deployment_configuration), census.counts)
    within = _least(needed, allowed.start)
    possible = _least(within, state.placeable)
    starting = _least(possible, gates.most)
    stops = _Stops(state, census, view, now)
    pledged = min(sum(map(stops.is_drained, census.stopping)), needed - starting)
    stops.room = _room(state, gates, starting + pledged)
    stops.never_ran()
    stops.take(surplus(state, census, now, stops.rank, view))
    stops.replaced(desired, keeps_others=gates.keeps_others)
    stops.cleared(gates.enough)
    blocked = needed - (possible if state.room_helps else within)
    stops.make_room(blocked - stops.freed, allowed.stop)
    held = census.away or census.holds
    waiting = starting or stops.chosen or census.stopping or held or _undecided(census)
    return Moves(
        start=starting,
        stop=tuple(stops.chosen),
        relies_on=starting + (pledged + stops.relied if stops.relied else 0),
        kept=tuple(stops.left([task for task in census.leaving if stops.is_drained(task)])),
        stuck=needed > 0 and not possible and state.placeable is None and not waiting,
    )


def _room(state: ServiceState, gates: Gates, taken: int) -> int | None:
    """For how many more replacements there is a host, and leave to start them; None: not asked.

    `taken` is for what starts now, and for what has left a draining host in their favour.
    """
    bounds = [one - taken for one in (state.placeable, gates.most) if one is not None]
    return min(bounds, default=None)


class _Stops:
    """Chooses the tasks to stop, step by step; each step knows what the ones before it chose."""

    def __init__(
        self, state: ServiceState, census: Census, view: ClusterView | None, now: Instant
    ) -> None:
        self.state = state
        self.census = census
        self.view = view
        self.now = now
        self.chosen: list[Task] = []
        self.room: int | None = None
        self.relied = 0
        self._arns: set[str] = set()

    @property
    def freed(self) -> int:
        """How many tasks are on their way out, and will make room."""
        return len(self.census.stopping) + len(self.chosen)

    @property
    def healthy(self) -> int:
        """How many tasks that are not chosen count towards the minimum."""
        kept = [*self.left(self.census.staying), *self.left(self.census.leaving)]
        return self.census.healthy(kept)

    def left(self, tasks: Sequence[Task]) -> list[Task]:
        """Those that are not chosen yet."""
        return [task for task in tasks if task.arn not in self._arns]

    def never_ran(self) -> None:
        """Leaving tasks that do not run yet serve nobody."""
        self._add(
            [
                task
                for task in self.census.leaving
                if self.census.standing(task) is Standing.NOT_RUNNING
                and not is_held(task, self.state, self.census, self.now)
            ]
        )

    def take(self, tasks: Sequence[Task]) -> None:
        """Tasks that others chose."""
        self._add(tasks)

    def replaced(self, desired: int, *, keeps_others: bool) -> None:
        """Leaving tasks that are not needed beside the healthy ones, the weak before the strong."""
        weak, strong = self._leaving()
        if keeps_others:
            weak, strong = list(filter(self._must_go, weak)), list(filter(self._must_go, strong))
        self._choose(weak, self.healthy + len(weak) - desired)
        self._choose(strong, self.healthy - desired)

    def cleared(self, enough: int | None) -> None:
        """All tasks of other deployments, once `enough` of the current one's are healthy."""
        if enough is None:
            return
        own = self.census.healthy(self.left(self.census.staying))
        if own < enough or not self._minimum_met(own):
            return
        current = self.state.current.id
        for group in self._leaving():
            self._add([task for task in group if task.deployment != current])

    def make_room(self, count: int, allowance: int) -> None:
        """Stop-first: `count` more must go before anything can start.

        Weak tasks cost no health, as long as the minimum is met without them; below it they go one
        by one, each only when the one before is replaced. Strong ones go down to the minimum. A
        task that runs without a check and has not settled yet is neither, nor is one whose host has
        just returned: it may well serve, and time will tell soon.
        """
        if count <= 0:
            return
        weak = [task for task in self._leaving()[0] if not self._will_settle(task)]
        if self._minimum_met(self.census.counts.healthy):
            before = len(self.chosen)
            self._free(weak, count)
            count -= len(self.chosen) - before
        elif not self.freed and not _settling(self.census):
            self._free(weak, 1)
            return
        _, strong = self._leaving()
        healthy_chosen = self.census.counts.healthy - self.healthy
        self._free(strong, min(count, allowance - healthy_chosen))

    def _free(self, tasks: Sequence[Task], count: int) -> None:
        """Stop up to `count` for their room; on draining hosts as far as there is room elsewhere."""
        freed: list[Task] = []
        for task in self._ordered(tasks, len(tasks)):
            if len(freed) >= count:
                break
            if self.is_drained(task):
                if self.room is not None and self.relied >= self.room:
                    continue
                self.relied += 1
            freed.append(task)
        self._add(freed)

    def is_drained(self, task: Task) -> bool:
        """Whether the task is on a host that is being drained."""
        return self.state.host(task).draining

    def _will_settle(self, task: Task) -> bool:
        if task.arn in self.census.fresh:
            return True
        unsettled = self.census.standing(task) is Standing.UNSETTLED
        return unsettled and not task.has_health_check

    def _minimum_met(self, healthy: int) -> bool:
        desired = self.state.service.desired_count
        minimum, _ = percentages(self.state.service.deployment_configuration)
        return healthy >= lower_limit(desired, minimum)

    def _must_go(self, task: Task) -> bool:
        """Whether a leaving task would have to go even if its deployment was to stay."""
        return self.is_drained(task) or self.census.standing(task) is Standing.UNHEALTHY

    def _leaving(self) -> tuple[list[Task], list[Task]]:
        """Leaving tasks that run and may stop: (those that do not count, those that do)."""
        left = [
            task
            for task in self.left(self.census.leaving)
            if not is_held(task, self.state, self.census, self.now)
        ]
        strong = [task for task in left if self.census.is_healthy(task)]
        weak = [task for task in left if not self.census.is_healthy(task)]
        return weak, strong

    def _choose(self, tasks: Sequence[Task], count: int) -> None:
        self._add(self._ordered(tasks, count))

    def _ordered(self, tasks: Sequence[Task], count: int) -> list[Task]:
        strategies = self.state.service.placement_strategy
        return choose_stops(self.left(tasks), count, self.rank, strategies, self.view)

    def _add(self, tasks: Sequence[Task]) -> None:
        self.chosen += tasks
        self._arns.update(task.arn for task in tasks)

    def rank(self, task: Task) -> int:
        """The worst stop first; among equals protected ones last, those on drained hosts first."""
        protected = task.is_protected(self.now)
        return 4 * self.census.standing(task) + 2 * protected + (not self.is_drained(task))


def _settling(census: Census) -> bool:
    """Whether a staying task may still turn out well or badly."""
    open_ends = {Standing.NOT_RUNNING, Standing.UNSETTLED}
    return any(
        census.standing(task) in open_ends
        for task in census.staying
        if task.connectivity == "CONNECTED"
    )


def _undecided(census: Census) -> bool:
    """Whether waiting may change something: a task that has not settled, staying or leaving."""
    return _settling(census) or any(
        census.standing(task) is Standing.UNSETTLED for task in census.leaving
    )


def _least(count: int, *bounds: int | None) -> int:
    return min([count, *(bound for bound in bounds if bound is not None)])
