"""A task that a rebalancing moves: its successor settles on another host, then it stops itself.

A move is kept nowhere: it is under way as long as both live, a task and its successor, which names
it (`Task.replaces`). The moved task then *leaves*, so that all that holds for leaving tasks holds
for it: it stops once there are as many healthy ones as desired. It leaves only where more tasks
stay than are desired: should another task fail meanwhile, the successor is there in its place, and
what was to move stays. So nothing has to be undone, wherever a move is interrupted.
"""

from collections.abc import Iterable, Mapping, Sequence

from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules import events, rebalancing_events
from moorage.ecs.rules.deployment.health import Standing
from moorage.ecs.rules.deployment.ledger import Ledger
from moorage.ecs.rules.deployment.state import ServiceState
from moorage.ground.instant import Duration, Instant, later, minutes
from moorage.ground.record import evolve

# A successor that is not healthy by then is given up, and nothing of its service is moved for a
# while: what did not work here and now will hardly work at once.
MOVE_TIMEOUT: Duration = minutes(10)
REST_AFTER_FAILURE: Duration = minutes(30)


def moving(
    staying: Sequence[Task], standings: Mapping[str, Standing], desired: int, now: Instant
) -> tuple[Task, ...]:
    """Which of the tasks that stay leave, since their successors are there or on the way.

    Never more than there are tasks beyond the desired ones; those whose successors are healthy
    first.
    """
    if not any(task.replaces for task in staying):
        return ()
    by_arn = {task.arn: task for task in staying if _may_move(task, now)}
    pairs = [
        (standings[successor.arn] is not Standing.HEALTHY, successor.created_at, task)
        for successor in staying
        if (task := by_arn.get(successor.replaces)) is not None
        and successor.connectivity == "CONNECTED"
        and not is_late(successor, standings[successor.arn], now)
    ]
    pairs.sort(key=lambda pair: (pair[0], pair[1], pair[2].arn))
    return tuple(task for _, _, task in pairs[: max(0, len(staying) - desired)])


def is_late(successor: Task, standing: Standing, now: Instant) -> bool:
    """Whether a successor took too long to become healthy."""
    return standing is not Standing.HEALTHY and gives_up_at(successor) <= now


def gives_up_at(successor: Task) -> Instant:
    """When a successor that is not healthy is given up."""
    return later(successor.created_at, MOVE_TIMEOUT)


def observe(state: ServiceState, ledger: Ledger, standings: Mapping[str, Standing]) -> None:
    """Let the service rest where a move came to nothing, and say which, once.

    A newer deployment takes the place of both: that is no failure.
    """
    for task, successor in under_way(state.tasks):
        if (
            task.deployment == state.current.id
            and _came_to_nothing(successor, standings, ledger.now)
            and not _is_known(ledger.service, successor)
        ):
            rest = later(ledger.now, REST_AFTER_FAILURE)
            known = evolve(ledger.service.rebalancing, rest_until=rest)
            ledger.service = evolve(ledger.service, rebalancing=known)
            ledger.say(
                rebalancing_events.move_failed,
                task.id,
                successor.id,
                successor.stopped_reason or "",
            )


def under_way(tasks: Iterable[Task]) -> list[tuple[Task, Task]]:
    """The tasks that should run on and have a successor, each with that, perhaps already ended."""
    known = {task.arn: task for task in tasks}
    return [
        (task, successor)
        for successor in known.values()
        if (task := known.get(successor.replaces)) is not None
        and task.desired_status == "RUNNING"
        and not task.is_stopped
    ]


def settled(staying: Sequence[Task], desired: int) -> tuple[Task, ...]:
    """Successors whose moves are over without an end: what they were to replace stays as well.

    Another task has failed meanwhile, or more are desired: both are needed from now on.
    """
    if len(staying) > desired:
        return ()
    there = {task.arn for task in staying}
    return tuple(task for task in staying if task.replaces in there)


def successors(state: ServiceState, standings: Mapping[str, Standing]) -> Mapping[str, Task]:
    """The healthy tasks that took the place of others on other hosts, by the ARNs of these.

    What stops before its successor is healthy, because its host is drained, say, has not moved.
    """
    current = state.current.id
    moved = {
        task.replaces: task
        for task in state.tasks
        if task.replaces
        and task.desired_status == "RUNNING"
        and standings.get(task.arn) is Standing.HEALTHY
    }
    if not moved:
        return {}
    return {
        task.arn: moved[task.arn]
        for task in state.tasks
        if task.arn in moved and task.deployment == current
    }


def reason(state: ServiceState, successor: Task | None) -> str | None:
    """The reason that a task will show which has moved; None for one without a successor."""
    if successor is None:
        return None
    return (
        f"Moved to the host {state.host(successor).name} by rebalancing: (task {successor.id}) has "
        "taken its place"
    )


def say_stopped(
    state: ServiceState, standings: Mapping[str, Standing], stopped: Sequence[Task]
) -> list[str]:
    """What is said of tasks that stop: of those that moved, that they did."""
    name, moved = state.service.name, successors(state, standings)
    said = []
    others = [task.id for task in stopped if task.arn not in moved]
    if others:
        said.append(events.stopped(name, others))
    for task in stopped:
        successor = moved.get(task.arn)
        if successor is None:
            continue
        if successor.zone != task.zone and state.service.rebalancing.zones:
            said.append(rebalancing_events.zone_stopped(name, task.zone, task.id))
        else:
            hosts = state.host(task).name, state.host(successor).name
            said.append(rebalancing_events.moved(name, task.id, *hosts, successor.id))
    return said


def _may_move(task: Task, now: Instant) -> bool:
    return task.connectivity == "CONNECTED" and not task.is_protected(now)


def _is_known(service: Service, successor: Task) -> bool:
    """Whether the service has begun to rest since this successor was given up.

    One that is late may be there for long: it is protected, or its host does not stop it.
    """
    rest = service.rebalancing.rest_until
    return rest is not None and rest >= later(gives_up_at(successor), REST_AFTER_FAILURE)


def _came_to_nothing(successor: Task, standings: Mapping[str, Standing], now: Instant) -> bool:
    if successor.is_stopped:
        return not successor.judged
    running = successor.desired_status == "RUNNING" and successor.connectivity == "CONNECTED"
    standing = standings.get(successor.arn)
    return running and standing is not None and is_late(successor, standing, now)
