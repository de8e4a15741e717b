"""Which tasks go when there are more than desired: scaled in, or because a host has returned.

Scaled in, the worst go first, and among equals those without which the strategies keep balance, as
in ECS. After a return those stay, in this order: healthy, settled, longest running, better spread
(all of them are of the newest revision: older ones leave anyway). A host that was lost twice in a
short time takes nothing back: its tasks are the surplus first, though never below the minimum and
never the last healthy one. Protected tasks are kept before all others, and none of them is stopped:
what is left of the surplus then waits until their protection ends.
"""

from collections.abc import Callable, Sequence

from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.census import Census
from moorage.ecs.rules.deployment.health import Standing
from moorage.ecs.rules.deployment.hosts import was_lost
from moorage.ecs.rules.deployment.protection import is_held
from moorage.ecs.rules.deployment.rolling import lower_limit, percentages
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ecs.rules.placement.scale_in import choose_stops
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ground.instant import Duration, Instant, later, minutes

# Added to the rank of a protected task: above every rank of a task that is not.
PROTECTED = 1 << 16
# For so long after a return, tasks above the desired count are put down to it.
RETURN_MATTERS: Duration = minutes(10)


def surplus(
    state: ServiceState,
    census: Census,
    now: Instant,
    scaled_in: Callable[[Task], int],
    view: ClusterView | None = None,
) -> list[Task]:
    """The staying tasks to stop now, in order; `scaled_in` ranks them where no host has returned."""
    count = len(census.staying) - state.service.desired_count
    if count <= 0:
        return []
    held = {task.arn for task in census.staying if is_held(task, state, census, now)}
    chosen = _chosen(
        state,
        census,
        now,
        lambda task: (PROTECTED if task.arn in held else 0) + scaled_in(task),
        view,
    )
    going = [task for task in chosen if task.arn not in held]
    return _beside_held(going, state, census) if held else going


def _chosen(
    state: ServiceState,
    census: Census,
    now: Instant,
    scaled_in: Callable[[Task], int],
    view: ClusterView | None,
) -> list[Task]:
    """The surplus, whether it may be stopped or not."""
    count = len(census.staying) - state.service.desired_count
    strategies = state.service.placement_strategy
    flapping = [
        task
        for task in census.staying
        if _flaps(task, state, now) and not is_held(task, state, census, now)
    ]
    going = choose_stops(flapping, count, census.standing, strategies, view)
    chosen = _spared(going, state, census)
    count -= len(going)
    flap = {task.arn for task in flapping}
    rest = [task for task in census.staying if task.arn not in flap]
    if not any(_returned(task, now) for task in rest):
        return chosen + choose_stops(rest, count, scaled_in, strategies, view)
    ranks = _ranks(rest, state, census, now)
    further = choose_stops(rest, count, lambda task: ranks[task.arn], strategies, view)
    leaving = {task.arn for task in further if not is_held(task, state, census, now)}
    if any(task.arn in census.fresh for task in rest if task.arn not in leaving):
        # What was there throughout waits for the word of the host whose task is to stay.
        further = [task for task in further if was_lost(task)]
        return _counting(chosen + further, state, census)
    return chosen + further


def _flaps(task: Task, state: ServiceState, now: Instant) -> bool:
    return task.connectivity == "CONNECTED" and state.host(task).is_flapping(now)


def _spared(going: Sequence[Task], state: ServiceState, census: Census) -> list[Task]:
    """Those that may go now: the healthy ones only down to the minimum, and never the last.

    What has just returned is taken for healthy here if it was: none of it is stopped that may be
    needed.
    """
    desired = state.service.desired_count
    minimum, _ = percentages(state.service.deployment_configuration)
    kept = max(lower_limit(desired, minimum), min(1, desired))
    running = (*census.staying, *census.leaving)
    allowance = sum(census.standing(task) is Standing.HEALTHY for task in running) - kept
    chosen = []
    for task in going:
        if census.standing(task) is Standing.HEALTHY:
            if allowance <= 0:
                continue
            allowance -= 1
        chosen.append(task)
    return chosen


def _beside_held(going: Sequence[Task], state: ServiceState, census: Census) -> list[Task]:
    """Those that may go while protected ones stay, which may not run yet: none that is needed."""
    return _within(going, census, census.healthy(census.staying) - state.service.desired_count)


def _counting(going: Sequence[Task], state: ServiceState, census: Census) -> list[Task]:
    """Those that may go while others have only just returned: what counts, down to the minimum."""
    minimum, _ = percentages(state.service.deployment_configuration)
    running = (*census.staying, *census.leaving)
    return _within(
        going, census, census.healthy(running) - lower_limit(state.service.desired_count, minimum)
    )


def _within(going: Sequence[Task], census: Census, allowance: int) -> list[Task]:
    """All that do not count, and of those that do, the first `allowance`."""
    chosen = []
    for task in going:
        if census.is_healthy(task):
            if allowance <= 0:
                continue
            allowance -= 1
        chosen.append(task)
    return chosen


def _returned(task: Task, now: Instant) -> bool:
    since = task.connectivity_at
    return (
        task.connectivity == "CONNECTED"
        and since is not None
        and since > task.created_at
        and later(since, RETURN_MATTERS) > now
    )


def _ranks(
    tasks: Sequence[Task], state: ServiceState, census: Census, now: Instant
) -> dict[str, int]:
    """How much each is worth keeping after a return; equal ones are left to the spread."""
    worth = {task.arn: _worth(task, state, census, now) for task in tasks}
    place = {value: number for number, value in enumerate(sorted(set(worth.values())))}
    return {arn: place[value] for arn, value in worth.items()}


def _worth(
    task: Task, state: ServiceState, census: Census, now: Instant
) -> tuple[bool, int, bool, int]:
    protected = is_held(task, state, census, now)
    since = task.started_at
    settled = since is not None and later(since, state.conditions.settle) <= now
    ran = 0 if since is None else now - since
    return protected, int(census.standing(task)), settled, ran
