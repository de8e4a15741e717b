"""Bugs of the scheduler's newer parts, planted as in `planted.py`: most need users who use them."""

from dataclasses import replace

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.deployment import hooks
from moorage.ecs.rules.task.stop import ask_to_stop
from moorage.ecs.store import (
    container_instances,
    freezes,
    service_deployments,
    services,
    tasks,
    timeline,
)
from moorage.gateway.aws import Door
from moorage.ground.instant import minutes
from moorage.ground.record import evolve
from moorage.shapes.ecs.faults import InvalidParameterException
from moorage.shapes.ecs.service_deployment import ContinueServiceDeploymentResponse
from moorage.sim.plane import Composition
from moorage.sim.scene import Make
from moorage.sql.transaction import StoreFailed
from tests.sim.planted import with_controller, with_operation


def _tasks_of(turn, key):
    return [task for task in tasks.of_service(turn.tx, key) if not task.is_stopped]


def _unprotected(sound, turn, key):
    """Nobody looks at protection."""
    known = {task.arn: task.protected_until for task in _tasks_of(turn, key)}
    for arn, until in known.items():
        if until is not None:
            tasks.TASKS.put(turn.tx, evolve(tasks.get(turn.tx, arn), protected_until=None))
    look = sound(turn, key)
    for arn, until in known.items():
        if until is not None:
            tasks.TASKS.put(turn.tx, evolve(tasks.get(turn.tx, arn), protected_until=until))
    return look


def _unconstrained(sound, turn, key):
    """Constraints are not read."""
    service = services.get(turn.tx, key)
    if service is None or not service.placement_constraints:
        return sound(turn, key)
    services.SERVICES.put(turn.tx, evolve(service, placement_constraints=[]))
    look = sound(turn, key)
    after = services.get(turn.tx, key)
    if after is not None:
        kept = evolve(after, placement_constraints=service.placement_constraints)
        services.SERVICES.put(turn.tx, kept)
    return look


def _started(turn, key):
    """The tasks that this turn has started."""
    return [
        task
        for task in _tasks_of(turn, key)
        if task.last_status == "PENDING" and task.created_at == turn.now
    ]


def _forgotten_promise(sound, turn, key):
    """What a task takes of its host is not counted."""
    look = sound(turn, key)
    for task in _started(turn, key):
        tasks.TASKS.put(turn.tx, evolve(task, reserved=Resources()))
    return look


def _port_twice(sound, turn, key):
    """A task with a port of its own is put where that port is taken."""
    look = sound(turn, key)
    taken = [task for task in _tasks_of(turn, key) if task.reserved.ports]
    for task in _started(turn, key):
        other = next((one for one in taken if one.instance != task.instance), None)
        if task.reserved.ports and other is not None:
            tasks.TASKS.put(turn.tx, evolve(task, instance=other.instance))
    return look


def _two_daemons(sound, turn, key):
    """One daemon in three is started twice."""
    look = sound(turn, key)
    service = services.get(turn.tx, key)
    if service is None or service.scheduling_strategy != "DAEMON":
        return look
    for number, task in enumerate(_started(turn, key)):
        if (number + turn.now) % 3 == 0:
            identity = f"{number:04d}{task.id[4:]}"
            arn = f"{task.arn.rpartition('/')[0]}/{identity}"
            tasks.create(turn.tx, evolve(task, id=identity, arn=arn))
    return look


def _moves_at_once(sound, turn, key):
    """What moves stops before its successor is there."""
    look = sound(turn, key)
    live = {task.arn: task for task in _tasks_of(turn, key)}
    for successor in list(live.values()):
        task = live.get(successor.replaces)
        if task is not None and task.desired_status == "RUNNING":
            reason = "Moved to the host of somebody else"
            stopped = ask_to_stop(task, "ServiceSchedulerInitiated", reason, turn.now)
            tasks.write(turn.tx, stopped)
    return look


def _impatient(sound, turn, key):
    """A hook is taken for answered as soon as the service is looked at again."""
    service = services.get(turn.tx, key)
    for one in service_deployments.open_of_service(turn.tx, key) if service is not None else ():
        for hook in hooks.awaited(one):
            one = hooks.answered(one, hook.id, "SUCCEEDED")  # noqa: PLW2901 - one after another
        service_deployments.put(turn.tx, one)
    return sound(turn, key)


def _says_yes(operation):
    """A hook that was answered is answered well again."""

    def body(call, request):
        try:
            return operation.body(call, request)
        except InvalidParameterException:
            return ContinueServiceDeploymentResponse(
                service_deployment_arn=request.service_deployment_arn
            )

    return replace(operation, body=body)


def _never_gives_up(sound, turn, key):
    task = tasks.get(turn.tx, key)
    waits = task is not None and not task.is_stopped and task.provisioning is not None
    return None if waits else sound(turn, key)


def _unfrozen(sound, turn, key):
    """Freezes are not read."""
    held = freezes.FREEZES.query().all(turn.tx)
    for one in held:
        freezes.FREEZES.delete(
            turn.tx, one.account, one.region, one.cluster, one.service, one.cause
        )
    look = sound(turn, key)
    for one in held:
        freezes.FREEZES.put(turn.tx, one)
    return look


def _on_drained_hosts(sound, turn, key):
    """Hosts that are being emptied are given tasks."""
    every = container_instances.named(turn.tx, container_instances.every(turn.tx)).values()
    drained = [one for one in every if one.status == "DRAINING"]
    for one in drained:
        container_instances.CONTAINER_INSTANCES.put(turn.tx, evolve(one, status="ACTIVE"))
    look = sound(turn, key)
    for one in drained:
        after = container_instances.get(turn.tx, one.arn)
        container_instances.CONTAINER_INSTANCES.put(turn.tx, evolve(after, status="DRAINING"))
    return look


def _says_nothing(operation):
    """That a task has STOPPED is kept, and told nobody."""

    def body(call, request):
        answer = operation.body(call, request)
        for one in call.tx.noted:
            if one.kind == "task-stopped":
                timeline.delete(call.tx, one)
        return answer

    return replace(operation, body=body)


def _busy(operation):
    """A server that works says of one minute in three that it cannot."""

    def body(call, request):
        if call.now // minutes(1) % 3 == 0:
            raise StoreFailed("The server is busy.")
        return operation.body(call, request)

    return replace(operation, body=body)


class Earnest(Door):
    """A dry run is done in earnest."""

    async def _rehearse(self, way, call, request):
        answer = await super()._rehearse(way, call, request)
        await self._run(call, request)
        return answer


def _deployments(body):
    return with_controller("deployments", body)


BUGS: dict[str, tuple[str, Make]] = {
    "protection that nobody looks at": ("protected", _deployments(_unprotected)),
    "constraints that are not read": ("placement", _deployments(_unconstrained)),
    "a promise that is forgotten": ("I11 capacity", _deployments(_forgotten_promise)),
    "a port that is given twice": ("I11 capacity", _deployments(_port_twice)),
    "two of a daemon on a host": ("daemons", _deployments(_two_daemons)),
    "a move that stops first": ("moves", _deployments(_moves_at_once)),
    "a hook that waits for nobody": ("pauses", _deployments(_impatient)),
    "a hook that is continued twice": (
        "pauses",
        with_operation("ContinueServiceDeployment", _says_yes),
    ),
    "a task that waits for ever": ("waiting", with_controller("tasks", _never_gives_up)),
    "a freeze that nobody heeds": ("freeze", _deployments(_unfrozen)),
    "tasks for hosts that are emptied": ("placement", _deployments(_on_drained_hosts)),
    "an end that is told nobody": (
        "events",
        with_operation("SubmitTaskStateChange", _says_nothing),
    ),
    "a refusal without a cause": ("I14 bounds", with_operation("DescribeServices", _busy)),
    "a dry run in earnest": ("dry runs", Make(plane=Composition(door=Earnest))),
}
