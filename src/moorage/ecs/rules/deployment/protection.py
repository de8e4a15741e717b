"""Which tasks a service leaves running because they are protected, and when that ends.

Protection holds against scale-in and against deployments. It does not keep a task that fails its
health checks, that is on a host which is lost or being drained, nor one whose service is deleted:
there the task would not be the better for staying, or a person wants it gone.
"""

from collections.abc import Iterable

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.health import Standing
from moorage.ecs.rules.deployment.state import ServiceState, soonest
from moorage.ground.instant import Instant


def is_held(task: Task, state: ServiceState, census: Census, now: Instant) -> bool:
    """Whether a staying or leaving task must not be stopped now, since it is protected."""
    host = state.host(task)
    return (
        task.is_protected(now)
        and task.connectivity == "CONNECTED"
        and not host.draining
        and host.confirmed_at is None
        and census.standing(task) is not Standing.UNHEALTHY
    )


def kept_back(state: ServiceState, census: Census, now: Instant) -> tuple[Task, ...]:
    """The tasks that run on beyond what the service wants, because they are protected."""
    held = [task for task in census.leaving if is_held(task, state, census, now)]
    above = len(census.staying) - state.service.desired_count
    if above > 0:
        staying = [task for task in census.staying if is_held(task, state, census, now)]
        held += staying[: max(0, len(staying) - state.service.desired_count)]
    return tuple(held)


def ends_at(tasks: Iterable[Task], now: Instant) -> Instant | None:
    """When the first protection of these tasks ends that holds now."""
    return soonest(
        [
            task.protected_until
            for task in tasks
            if task.is_protected(now) and not task.is_stopped and task.desired_status == "RUNNING"
        ]
    )
