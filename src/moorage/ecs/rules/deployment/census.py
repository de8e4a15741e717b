"""Counts a service's tasks: which stay, which leave, which are gone already.

*Staying* tasks are what the service wants: tasks of the primary deployment that do well enough.
*Leaving* tasks run and should not for much longer: those of older deployments, those on hosts that
are being drained, and unhealthy ones. *Stopping* ones were told to. Tasks on lost hosts are none
of these (they are out of reach), except that a service which may not run a task too many
(maximumPercent 100) does not replace them: there they stay.
"""

from collections.abc import Iterable, Mapping

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.health import Standing, judge
from moorage.ecs.rules.deployment.rolling import TaskCounts, percentages
from moorage.ecs.rules.deployment.state import ServiceState, soonest
from moorage.ground.instant import Instant
from moorage.ground.record import Record

_ONCE = 100


class Census(Record):
    """The tasks of one service by what should become of them; `standings` by their ARNs.

    `abandoned` are tasks of older deployments on lost hosts: told to stop, for when they return.
    `settles_at` is when the next task will have settled, if time alone does it.
    """

    staying: tuple[Task, ...]
    leaving: tuple[Task, ...]
    stopping: tuple[Task, ...]
    abandoned: tuple[Task, ...]
    standings: Mapping[str, Standing]
    settles_at: Instant | None = None

    def standing(self, task: Task) -> Standing:
        """How a staying or leaving task does."""
        return self.standings[task.arn]

    def healthy(self, tasks: Iterable[Task]) -> int:
        """How many of these count towards the minimum."""
        return sum(self.standings[task.arn] is Standing.HEALTHY for task in tasks)

    @property
    def counts(self) -> TaskCounts:
        """The counts by which starts and stops are bounded."""
        wanted = (*self.staying, *self.leaving)
        return TaskCounts(
            wanted=len(wanted), stopping=len(self.stopping), healthy=self.healthy(wanted)
        )


def take(state: ServiceState, now: Instant) -> Census:
    """The census of a service's tasks that are not STOPPED."""
    grace = state.service.health_check_grace_period_seconds
    primary = state.service.deployment
    replaces_lost = percentages(state.service.deployment_configuration)[1] > _ONCE
    groups: dict[str, list[Task]] = {
        name: [] for name in ("staying", "leaving", "stopping", "abandoned", "beyond")
    }
    standings: dict[str, Standing] = {}
    settling: list[Instant | None] = []
    for task in state.tasks:
        if task.is_stopped:
            continue
        lost = task.connectivity == "DISCONNECTED"
        verdict = judge(task, grace, state.conditions, now)
        standing = Standing.NOT_RUNNING if lost else verdict.standing
        group = _group(task, standing, state, replaces_lost=replaces_lost)
        groups[group].append(task)
        standings[task.arn] = standing
        if group in {"staying", "leaving"} and not lost:
            settling.append(verdict.until)
    assert all(task.deployment == primary for task in groups["staying"])
    return Census(
        staying=tuple(groups["staying"]),
        leaving=tuple(groups["leaving"]),
        stopping=tuple(groups["stopping"]),
        abandoned=tuple(groups["abandoned"]),
        standings=standings,
        settles_at=soonest(settling),
    )


def _group(task: Task, standing: Standing, state: ServiceState, *, replaces_lost: bool) -> str:
    lost = task.connectivity == "DISCONNECTED"
    if task.desired_status == "STOPPED":
        return "beyond" if lost else "stopping"
    primary = task.deployment == state.service.deployment
    if lost:
        if not primary:
            return "abandoned"
        return "beyond" if replaces_lost else "staying"
    drained = task.instance in state.draining
    return (
        "staying" if primary and not drained and standing is not Standing.UNHEALTHY else "leaving"
    )
