"""A host as people see it: one word on where it stands, and a sentence on why and what follows."""

from collections.abc import Callable, Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.counts import counts
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ground.instant import Instant, epoch, iso, maybe_epoch
from moorage.ground.record import evolve
from moorage.shapes.moorage.host_state import Host, HostDrain

_LOSSES = {
    "silent": "Nothing is heard of the host any more.",
    "away": "The agent went away and did not come back in time.",
    "engine": "The container engine has been gone for too long.",
}
_ENDINGS = {
    "goodbye": "The agent said goodbye (an upgrade, or it was stopped); what runs there runs on.",
    "closed": "The agent's connection was cut; what runs there runs on.",
    "silent": "Nothing is heard of the host any more.",
}

State = tuple[str, Instant | None, str]


def view(instance: ContainerInstance, tasks: Sequence[Task], now: Instant) -> Host:
    """The host with its live `tasks`."""
    counted = counts(tasks)
    load = cluster_view([evolve(instance, status="ACTIVE")], tasks).hosts[instance.arn]
    state, since, reason = _state(instance, now)
    return Host(
        name=instance.name or None,
        container_instance_arn=instance.arn,
        cluster=instance.cluster,
        status=instance.status,
        state=state,
        state_since=maybe_epoch(since),
        state_reason=reason,
        connected=instance.connected,
        suspect=instance.suspect,
        lost_at=maybe_epoch(instance.lost_at),
        loss=instance.loss,
        replace_at=maybe_epoch(instance.replace_at),
        confirmed_at=maybe_epoch(instance.confirmed_at),
        flapping_until=maybe_epoch(instance.flapping_until),
        engine_gone_at=maybe_epoch(instance.engine_gone_at),
        drain=_drain(instance, tasks),
        zone=instance.zone or None,
        running_tasks_count=counted.running,
        pending_tasks_count=counted.pending,
        unreachable_tasks_count=sum(task.connectivity == "DISCONNECTED" for task in tasks),
        remaining_cpu=load.cpu,
        remaining_memory=load.memory,
        agent_version=instance.agent_version or None,
        docker_version=instance.docker_version or None,
    )


def _drain(instance: ContainerInstance, tasks: Sequence[Task]) -> HostDrain | None:
    if instance.status != "DRAINING":
        return None
    left = sum(1 for task in tasks if task.service)
    return HostDrain(
        deadline=epoch(instance.drain.deadline) if instance.drain else None,
        on_timeout=instance.drain.on_timeout if instance.drain else None,
        service_tasks_left=left,
        other_tasks_left=len(tasks) - left,
    )


def _state(instance: ContainerInstance, now: Instant) -> State:
    """The first of these that holds: the worst news first."""
    return next(found for look in _LOOKS if (found := look(instance, now)) is not None)


def _lost(instance: ContainerInstance, now: Instant) -> State | None:
    del now
    if instance.lost_at is None:
        return None
    name = instance.name or instance.id
    if instance.confirmed_at is not None:
        follows = (
            "It was confirmed as lost: its service tasks are replaced, and stop if it returns."
        )
    elif instance.replace_at is not None:
        follows = (
            "Services that may run one task too many replace theirs; the others wait for "
            f"its return, or for: moorage host confirm-lost {name}"
        )
    else:
        follows = (
            "Too many hosts were lost at once, or seem to be: nothing is replaced until hosts return, "
            f"or for this one by: moorage host confirm-lost {name}"
        )
    why = _LOSSES[instance.loss or "silent"]
    return "LOST", instance.lost_at, f"{why} {follows}"


def _engine_gone(instance: ContainerInstance, now: Instant) -> State | None:
    del now
    if instance.engine_gone_at is None:
        return None
    reason = (
        "The agent is connected and says that its container engine is gone: no task is placed "
        "there, and the host soon counts as lost. Start the engine."
    )
    return "ENGINE_GONE", instance.engine_gone_at, reason


def _impaired(instance: ContainerInstance, now: Instant) -> State | None:
    del now
    if instance.runtime_status != "IMPAIRED":
        return None
    why = instance.runtime_reason or "The agent says that its container runtime is impaired."
    return "IMPAIRED", instance.runtime_status_at, f"It takes no new task. {why}"


def _away(instance: ContainerInstance, now: Instant) -> State | None:
    del now
    if instance.connected:
        return None
    if instance.disconnection == "never":
        return "NEVER_CONNECTED", instance.registered_at, "It registered and never connected."
    return "AWAY", instance.disconnected_at, _ENDINGS[instance.disconnection]


def _suspect(instance: ContainerInstance, now: Instant) -> State | None:
    del now
    if not instance.suspect:
        return None
    return "SUSPECT", None, "Nothing was heard for a while: it gets no new task."


def _flapping(instance: ContainerInstance, now: Instant) -> State | None:
    until = instance.flapping_until
    if until is None or until <= now:
        return None
    reason = f"It was lost twice within a short time: it takes no task until {iso(until)}."
    return "FLAPPING", instance.connected_at, reason


def _connected(instance: ContainerInstance, now: Instant) -> State:
    del now
    reason = "All is well."
    if instance.status == "DRAINING":
        reason = "It is drained: it takes no task, and its service tasks move to other hosts."
    return "CONNECTED", instance.connected_at, reason


_LOOKS: tuple[Callable[[ContainerInstance, Instant], State | None], ...] = (
    _lost,
    _away,
    _engine_gone,
    _impaired,
    _suspect,
    _flapping,
    _connected,
)
