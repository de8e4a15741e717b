"""What a deployment waits for, in words that follow "it waits, because"."""

from collections.abc import Sequence

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment import backoff
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.health import Standing
from moorage.ecs.rules.deployment.rolling import percentages
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ground.instant import Instant, iso

IDS_SHOWN_MAX = 5


def wait_of(state: ServiceState, census: Census, now: Instant) -> str:
    """Why the current deployment has not all its tasks healthy; the cause before its effects."""
    known = state.service.backoff
    until = backoff.held_until(known, now)
    if until is not None:
        return f"{known.failures} starts failed in a row, and the next try is at {iso(until)}"
    missing = state.service.desired_count - len(census.staying)
    if missing > 0 and state.service.waits_for_room:
        return f"no container instance can take {_tasks(missing)} that it still needs"
    unhealthy = [
        task
        for task in census.leaving
        if task.deployment == state.current.id and census.standing(task) is Standing.UNHEALTHY
    ]
    if unhealthy:
        return f"{_tasks(len(unhealthy))} of it failed health checks: {_shown(unhealthy)}"
    by_standing = {
        standing: [task for task in census.staying if census.standing(task) is standing]
        for standing in Standing
    }
    if not_running := by_standing[Standing.NOT_RUNNING]:
        return f"{_tasks(len(not_running))} of it did not start to run: {_shown(not_running)}"
    if unsettled := by_standing[Standing.UNSETTLED]:
        return f"{_tasks(len(unsettled))} of it did not become healthy: {_shown(unsettled)}"
    return _of_others(state, census, missing)


def _of_others(state: ServiceState, census: Census, missing: int) -> str:
    if census.stopping:
        ids = _shown(census.stopping)
        return f"{_tasks(len(census.stopping))} that should stop did not stop: {ids}"
    if missing > 0:
        minimum, maximum = percentages(state.service.deployment_configuration)
        return (
            f"minimumHealthyPercent {minimum} and maximumPercent {maximum} allow neither to start a "
            "task nor to stop one"
        )
    return "its tasks did not stay healthy"


def _tasks(count: int) -> str:
    return "one task" if count == 1 else f"{count} tasks"


def _shown(tasks: Sequence[Task]) -> str:
    shown = " ".join(f"(task {task.id})" for task in tasks[:IDS_SHOWN_MAX])
    more = len(tasks) - IDS_SHOWN_MAX
    return f"{shown} and {more} more" if more > 0 else shown
