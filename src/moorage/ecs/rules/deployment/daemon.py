"""Which tasks of a DAEMON service start and stop now: one on each host that matches, and no more.

The desired count is the number of hosts where a task belongs (`daemon_hosts`). A task stops before
its successor starts on the same host, and only where the successor has room there; healthy tasks go
down to minimumHealthyPercent of the desired count, rounded up. Where a task does not belong it stops
at once, whatever the minimum; on a host that is being drained it is *kept* until no other task is
left. All of this holds after every single step, so that a plan may be interrupted anywhere.
"""

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.census import RETURN_LOOK, Census
from moorage.ecs.rules.deployment.daemon_hosts import DaemonHosts, without
from moorage.ecs.rules.deployment.health import Standing, judge
from moorage.ecs.rules.deployment.hosts import was_lost
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.moves import Gates, Moves
from moorage.ecs.rules.deployment.rolling import lower_limit, percentages
from moorage.ecs.rules.deployment.state import ServiceState, soonest
from moorage.ecs.rules.placement.constraint import FOLLOW_LOOK, Obstacle, obstacle
from moorage.ecs.rules.placement.place import Hindrance, Placements, Unplaced
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ground.instant import Instant, later
from moorage.ground.record import evolve


def aim(state: ServiceState, ledger: Ledger) -> ServiceState:
    """The state of a daemon service with its desired count, which follows the hosts."""
    ledger.service = evolve(ledger.service, desired_count=len(_hosts(state).targets))
    return evolve(state, service=ledger.service)


def take(state: ServiceState, now: Instant) -> Census:
    """The census of a daemon service's tasks that are not STOPPED.

    One task of the current deployment stays on each host where it belongs. Tasks on lost hosts are
    in no group: nothing takes their place, since they have none elsewhere.
    """
    counting = _Counting(state, now)
    for task in state.tasks:
        if not task.is_stopped:
            counting.add(task)
    return counting.census()


def moves(
    state: ServiceState,
    census: Census,
    gates: Gates,
    now: Instant,
    view: ClusterView | None = None,
) -> Moves:
    """The next moves of a daemon service; it brings its own view of the cluster."""
    del now, view
    steps = _Steps(state, census, gates)
    starts, stops = steps.starts(), [*steps.astray, *steps.rolled()]
    return Moves(
        start=len(starts),
        stop=tuple(stops),
        placed=Placements(
            chosen=tuple(starts),
            unplaced=Unplaced(
                count=len(steps.hindrances),
                hindrances=tuple(
                    Hindrance(instance=arn, obstacle=why)
                    for arn, why in sorted(steps.hindrances.items())
                ),
            ),
        ),
        awaits_tasks=bool(census.kept),
        stuck=not starts and not stops and steps.is_stuck(),
    )


class _Counting:
    """Puts one task after the other into its group, and picks the best of each host."""

    def __init__(self, state: ServiceState, now: Instant) -> None:
        self.state = state
        self.now = now
        self.hosts = _hosts(state)
        self.grace = state.service.health_check_grace_period_seconds
        self.current = state.current.id
        self.belonging: dict[str, list[Task]] = {}
        self.groups: dict[str, list[Task]] = {
            name: [] for name in ("leaving", "stopping", "kept", "abandoned")
        }
        self.standings: dict[str, Standing] = {}
        self.fresh: set[str] = set()
        self.changes: list[Instant | None] = [
            later(now, FOLLOW_LOOK) if self.hosts.follows_tasks else None
        ]

    def add(self, task: Task) -> None:
        if task.connectivity == "DISCONNECTED":
            self.standings[task.arn] = Standing.NOT_RUNNING
            written_off = self.state.host(task).confirmed_at is not None
            if written_off and task.desired_status == "RUNNING":
                self.groups["abandoned"].append(task)
            return
        verdict = judge(task, self.grace, self.state.conditions, self.now)
        self.standings[task.arn] = verdict.standing
        if task.desired_status == "STOPPED":
            self.groups["stopping"].append(task)
        elif task.instance in self.hosts.targets:
            self.belonging.setdefault(task.instance, []).append(task)
            self.changes.append(verdict.until)
            self._look_at_return(task)
        elif task.instance in self.hosts.occupied:
            self.groups["kept"].append(task)
        elif task.instance in self.hosts.live:
            self.groups["leaving"].append(task)

    def census(self) -> Census:
        staying = [
            best
            for mine in self.belonging.values()
            if (best := max(mine, key=self._worth)).deployment == self.current
            and self.standings[best.arn] is not Standing.UNHEALTHY
        ]
        kept = {task.arn for task in staying}
        groups = self.groups
        groups["leaving"] += [
            task for mine in self.belonging.values() for task in mine if task.arn not in kept
        ]
        return Census(
            staying=tuple(staying),
            leaving=tuple(groups["leaving"]),
            stopping=tuple(groups["stopping"]),
            away=(),
            abandoned=tuple(groups["abandoned"]),
            kept=tuple(groups["kept"]),
            standings=self.standings,
            fresh=frozenset(self.fresh),
            changes_at=soonest(self.changes),
        )

    def _worth(self, task: Task) -> tuple[bool, int, int, str]:
        """Of several on one host the best stays: a newer one, a better one, an older one."""
        newer = task.deployment == self.current
        return newer, int(self.standings[task.arn]), -task.created_at, task.arn

    def _look_at_return(self, task: Task) -> None:
        if task.connectivity_at is None or not was_lost(task):
            return
        known_at = later(task.connectivity_at, RETURN_LOOK)
        if known_at > self.now:
            self.fresh.add(task.arn)
            self.changes.append(known_at)


class _Steps:
    """What starts and stops, host by host; `hindrances` are why hosts take no successor."""

    def __init__(self, state: ServiceState, census: Census, gates: Gates) -> None:
        self.state = state
        self.census = census
        self.hosts = _hosts(state)
        self.most = 0 if gates.frozen else gates.most
        self.troubled = None if gates.frozen else gates.troubled
        staying = {task.instance for task in census.staying}
        there = [task for task in census.leaving if task.instance in self.hosts.targets]
        # Of each host that has none of the current deployment, the one that serves till then.
        self.olds: dict[str, Task] = {}
        for task in sorted(there, key=lambda one: (census.standing(one), one.arn)):
            if task.instance not in staying:
                self.olds[task.instance] = task
        serving = {task.arn for task in self.olds.values()}
        self.astray = [task for task in census.leaving if task.arn not in serving]
        served = staying.union(self.olds)
        self.gaps = [arn for arn in self.hosts.targets if arn not in served]
        self.hindrances: dict[str, Obstacle] = {}
        self.busy = {task.instance for task in (*census.stopping, *census.leaving)}
        self.opening = self._opening()
        self.movable = self._movable()

    def starts(self) -> list[str]:
        """The hosts on which a task starts now: those that have none at all, and room for one."""
        most = None if self.troubled is not None else self.most
        return [arn for arn in self.opening if arn not in self.busy][:most]

    def _opening(self) -> list[str]:
        """The gaps that close by themselves: there is room now, or a task is still to end there.

        What waits for a host without room, or out of reach, would wait for ever. The back-off holds
        on hosts where it failed, not on those that have just joined.
        """
        gaps = sorted(self.gaps)
        if self.troubled is not None:
            gaps = [arn for arn in gaps if arn not in self.troubled]
        elif self.most == 0:
            return []
        return [
            arn
            for arn in gaps
            if arn in self.hosts.able and (arn in self.busy or self._has_room(arn))
        ]

    def rolled(self) -> list[Task]:
        """The tasks that stop so that their successors can start on their hosts.

        One that never ran serves nobody. Weak ones cost no health where the minimum is met without
        them; below it they go one by one, each when all others have settled. Strong ones go down
        to the minimum.
        """
        chosen = self._down_to_the_minimum()
        if self.most is None:
            return chosen
        return chosen[: max(0, self.most - len(self.opening))]

    def is_stuck(self) -> bool:
        """Whether tasks are to be replaced and the minimum forbids it, now and by waiting."""
        undecided = self.opening or self.census.stopping or self._settling()
        return bool(self.movable) and self.most != 0 and not undecided

    def _down_to_the_minimum(self) -> list[Task]:
        desired = len(self.hosts.targets)
        minimum, _ = percentages(self.state.service.deployment_configuration)
        lower = lower_limit(desired, minimum)
        healthy = self.census.healthy([*self.census.staying, *self.olds.values()])
        idle, weak, strong = self._by_strength(spares_nobody=lower == 0)
        if healthy >= lower:
            return [*idle, *weak, *strong[: healthy - lower]]
        if idle or self.opening or self._settling():
            return idle
        return weak[:1]

    def _by_strength(self, *, spares_nobody: bool) -> tuple[list[Task], list[Task], list[Task]]:
        """Those that may go: (those that do not run, that run and do not count, that count)."""
        idle, weak, strong = [], [], []
        for task in self.movable:
            if self.census.is_healthy(task):
                strong.append(task)
            elif self.census.standing(task) is Standing.NOT_RUNNING:
                idle.append(task)
            elif spares_nobody or not self._will_settle(task):
                weak.append(task)
        return idle, weak, strong

    def _movable(self) -> list[Task]:
        """Those whose successors could start on their hosts as soon as they are gone."""
        if self.most == 0:
            return []
        return [
            task
            for task in sorted(self.olds.values(), key=lambda one: (one.created_at, one.arn))
            if task.instance in self.hosts.able and self._has_room(task.instance, task)
        ]

    def _has_room(self, arn: str, *gone: Task) -> bool:
        found = obstacle(self.hosts.wants, without(self.hosts.targets[arn], gone))
        if found is not None:
            self.hindrances[arn] = found
        return found is None

    def _will_settle(self, task: Task) -> bool:
        """Whether a task that runs without a check, or whose host is just back, may turn out well."""
        if task.arn in self.census.fresh:
            return True
        unsettled = self.census.standing(task) is Standing.UNSETTLED
        return unsettled and not task.has_health_check

    def _settling(self) -> bool:
        """Whether waiting may make a task healthy: one that starts, or that has not settled."""
        old = any(self._will_settle(task) for task in self.olds.values())
        open_ends = {Standing.NOT_RUNNING, Standing.UNSETTLED}
        return old or any(
            self.census.standing(task) in open_ends or task.arn in self.census.fresh
            for task in self.census.staying
        )


def _hosts(state: ServiceState) -> DaemonHosts:
    assert state.daemon is not None, f"{state.service.name} is no daemon, or was not surveyed"
    return state.daemon
