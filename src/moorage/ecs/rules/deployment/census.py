"""Counts a service's tasks: which stay, which leave, which are gone already.

*Staying* tasks are what the service wants: tasks of the current deployment that do well enough.
*Leaving* tasks run and should not for much longer: those of other deployments, those on hosts that
are being drained, unhealthy ones, and those that a rebalancing moves. *Stopping* ones were told to.
Tasks on lost hosts are *held* in their group until they are given up (`hosts.fate`): nobody can
stop them, and nothing takes their place. Given up, they are none of these, and others are started
for them.
"""

from collections.abc import Iterable, Mapping

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.health import Standing, judge
from moorage.ecs.rules.deployment.hosts import Fate, Hold, HostState, fate, loss_rule
from moorage.ecs.rules.deployment.relocation import gives_up_at, moving
from moorage.ecs.rules.deployment.rolling import TaskCounts
from moorage.ecs.rules.deployment.state import ServiceState, soonest
from moorage.ground.instant import Duration, Instant, later, seconds
from moorage.ground.record import Record

# A host that is back reports within this time what ended while it was away. Until then its tasks
# do not count towards the minimum, and no task that was there throughout stops in their favour:
# after a reboot, all that is known of them is wrong.
RETURN_LOOK: Duration = seconds(2)


class Census(Record):
    """The tasks of one service by what should become of them; `standings` by their ARNs.

    `away` are tasks of other deployments that are held on lost hosts. `abandoned` are given up and
    to be told to stop, for when their hosts return. `fresh` are ARNs of tasks whose host is back
    since a moment ago. `holds` names the lost hosts whose tasks are held, by the reason. At
    `changes_at` time alone changes the census: a task will have settled, or is given up. `kept`
    are tasks of a daemon on draining hosts: they stay until no other task is there.
    """

    staying: tuple[Task, ...]
    leaving: tuple[Task, ...]
    stopping: tuple[Task, ...]
    away: tuple[Task, ...]
    abandoned: tuple[Task, ...]
    standings: Mapping[str, Standing]
    fresh: frozenset[str] = frozenset()
    holds: Mapping[Hold, tuple[str, ...]] = {}
    fenced_at: Instant | None = None
    changes_at: Instant | None = None
    kept: tuple[Task, ...] = ()

    def standing(self, task: Task) -> Standing:
        """How a staying or leaving task does."""
        return self.standings[task.arn]

    def is_healthy(self, task: Task) -> bool:
        """Whether a staying or leaving task counts towards the minimum."""
        return self.standings[task.arn] is Standing.HEALTHY and task.arn not in self.fresh

    def healthy(self, tasks: Iterable[Task]) -> int:
        """How many of these count towards the minimum."""
        return sum(map(self.is_healthy, tasks))

    @property
    def counts(self) -> TaskCounts:
        """The counts by which starts and stops are bounded."""
        wanted = (*self.staying, *self.leaving)
        return TaskCounts(
            wanted=len(wanted) + len(self.away),
            stopping=len(self.stopping),
            healthy=self.healthy(wanted),
        )

    @property
    def present(self) -> frozenset[str]:
        """The deployments that still have tasks, as far as they are not given up."""
        groups = (self.staying, self.leaving, self.stopping, self.away, self.kept)
        return frozenset(task.deployment for group in groups for task in group)


def take(state: ServiceState, now: Instant) -> Census:
    """The census of a service's tasks that are not STOPPED."""
    counting = _Counting(state, now)
    for task in state.tasks:
        if not task.is_stopped:
            counting.add(task)
    return counting.census()


class _Counting:
    """Puts one task after the other into its group."""

    def __init__(self, state: ServiceState, now: Instant) -> None:
        self.state = state
        self.now = now
        self.grace = state.service.health_check_grace_period_seconds
        self.current = state.current.id
        self.rule = loss_rule(state.service)
        self.groups: dict[str, list[Task]] = {
            name: [] for name in ("staying", "leaving", "stopping", "away", "beyond")
        }
        self.standings: dict[str, Standing] = {}
        self.fresh: set[str] = set()
        self.holds: dict[Hold, set[str]] = {}
        self.fenced_at: Instant | None = None
        self.changes: list[Instant | None] = []

    def add(self, task: Task) -> None:
        host = self.state.host(task)
        if task.connectivity == "DISCONNECTED":
            self.standings[task.arn] = Standing.NOT_RUNNING
            self.groups[self._lost(task, host)].append(task)
            return
        verdict = judge(task, self.grace, self.state.conditions, self.now)
        self.standings[task.arn] = verdict.standing
        if task.desired_status == "STOPPED":
            self.groups["stopping"].append(task)
            return
        self.changes.append(verdict.until)
        if task.connectivity_at is not None and task.connectivity_at > task.created_at:
            self._look_at_return(task, task.connectivity_at)
        good = (
            task.deployment == self.current
            and verdict.standing is not Standing.UNHEALTHY
            and not host.draining
            and not _written_off(task, host)
        )
        self.groups["staying" if good else "leaving"].append(task)

    def census(self) -> Census:
        groups = self.groups
        self._move()
        assert all(task.deployment == self.current for task in groups["staying"])
        return Census(
            staying=tuple(groups["staying"]),
            leaving=tuple(groups["leaving"]),
            stopping=tuple(groups["stopping"]),
            away=tuple(groups["away"]),
            abandoned=self._abandoned(),
            standings=self.standings,
            fresh=frozenset(self.fresh),
            holds={hold: tuple(sorted(names)) for hold, names in self.holds.items()},
            fenced_at=self.fenced_at,
            changes_at=soonest(self.changes),
        )

    def _move(self) -> None:
        """What a rebalancing moves leaves, as its successor is there or on the way."""
        staying, desired = self.groups["staying"], self.state.service.desired_count
        gone = {task.arn for task in moving(staying, self.standings, desired, self.now)}
        self.groups["staying"] = [task for task in staying if task.arn not in gone]
        self.groups["leaving"] += [task for task in staying if task.arn in gone]
        for task in staying:
            if task.replaces and self.standings[task.arn] is not Standing.HEALTHY:
                self.changes.append(at if (at := gives_up_at(task)) > self.now else None)

    def _lost(self, task: Task, host: HostState) -> str:
        destined = self._fate(task, host)
        if destined.at is not None:
            if destined.at <= self.now:
                return "beyond"
            self.changes.append(destined.at)
        self.holds.setdefault(destined.hold, set()).add(host.name)
        if destined.hold == "fence" and destined.at is not None:
            self.fenced_at = max(self.fenced_at or destined.at, destined.at)
        if task.desired_status == "STOPPED":
            return "stopping"
        return "staying" if task.deployment == self.current else "away"

    def _fate(self, task: Task, host: HostState) -> Fate:
        fenced_after: Duration | None = None
        if self.rule.fences and task.fence_after is not None:
            stops_within = self.state.stop_timeouts.get(task.task_definition, Duration(0))
            margin = self.state.conditions.fence_margin
            fenced_after = Duration(task.fence_after + stops_within + margin)
        return fate(self.rule, host, fenced_after)

    def _abandoned(self) -> tuple[Task, ...]:
        """Which of the tasks that are given up are told to stop.

        Always where a person has confirmed the loss. One of another deployment only when it is
        not needed any more: should it come back first, it may be the last that serves.
        """
        running = [task for task in self.groups["beyond"] if task.desired_status == "RUNNING"]
        if not running:
            return ()
        staying = self.groups["staying"]
        healthy = sum(self.standings[task.arn] is Standing.HEALTHY for task in staying)
        done = healthy >= self.state.service.desired_count
        return tuple(
            task
            for task in running
            if self.state.host(task).confirmed_at is not None
            or (done and task.deployment != self.current)
        )

    def _look_at_return(self, task: Task, since: Instant) -> None:
        known_at = later(since, RETURN_LOOK)
        if known_at > self.now:
            self.fresh.add(task.arn)
            self.changes.append(known_at)


def _written_off(task: Task, host: HostState) -> bool:
    """Whether a person said that the host would not come back with this task, and it did."""
    return host.confirmed_at is not None and task.created_at <= host.confirmed_at
