"""What happened, seen from the records before and after: the entries of a cluster's timeline."""

from collections.abc import Mapping, Sequence

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.records.freeze import Freeze
from moorage.ecs.records.happening import Happening
from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.task import Task
from moorage.ecs.rules.attribute import is_custom
from moorage.ecs.rules.freeze import until_words
from moorage.ecs.rules.task import ending
from moorage.ground.arn import make_arn, parse_arn
from moorage.ground.instant import Duration, Instant, hours, iso, later

KEPT: Duration = hours(30 * 24)
# Of one cluster; each row is of a bounded length (`store.timeline`), so that the bytes are, too.
EVENTS_MAX = 100_000
LEFT = "host-left"
_OF_TASKS = ("has started ", "has stopped ")
# What of a service its owner sets and no deployment tells, by AWS's names.
_SET_BY_OWNERS: Mapping[str, str] = {
    "deployment_configuration": "deploymentConfiguration",
    "placement_constraints": "placementConstraints",
    "placement_strategy": "placementStrategy",
    "capacity_provider_strategy": "capacityProviderStrategy",
    "availability_zone_rebalancing": "availabilityZoneRebalancing",
    "health_check_grace_period_seconds": "healthCheckGracePeriodSeconds",
    "propagate_tags": "propagateTags",
    "enable_ecs_managed_tags": "enableECSManagedTags",
    "enable_execute_command": "enableExecuteCommand",
    "tags": "tags",
}
_LOSSES = {
    "silent": "Nothing is heard of it any more.",
    "away": "Its agent went away and did not come back in time.",
    "engine": "Its container engine is gone.",
}
_GOINGS = {
    "goodbye": "Its agent said goodbye; what runs there runs on.",
    "closed": "Its agent's connection was cut; what runs there runs on.",
    "silent": "Nothing is heard of it any more.",
    "never": "It has never been connected.",
}
# And of a cluster.
_SET_OF_CLUSTERS: Mapping[str, str] = {
    "settings": "settings",
    "configuration": "configuration",
    "capacity_providers": "capacityProviders",
    "default_strategy": "defaultCapacityProviderStrategy",
    "tags": "tags",
}


def of_cluster(before: Cluster | None, after: Cluster) -> list[Happening]:
    """A cluster was made, changed, or deleted."""
    if before is None or before.status != after.status:
        is_made = after.status == "ACTIVE"
        kind, text = ("made", "It is there.") if is_made else ("deleted", "Nothing is left in it.")
    else:
        changed = _changed(before, after, _SET_OF_CLUSTERS)
        kind, text = ("changed", f"Changed: {changed}.") if changed else ("", "")
    return [Happening(cluster=after.arn, kind=f"cluster-{kind}", text=text)] if kind else []


def of_new_task(task: Task) -> list[Happening]:
    """A task was made: for a host, or to wait for one."""
    whose = f"by deployment {task.deployment}" if task.service else "of no service"
    named = f"{task.family}:{task.revision}, {whose}"
    if not task.instance:
        return [_of_task(task, "task-waiting", f"It waits for room: {named}.")]
    return [_of_task(task, "task-started", f"It was placed: {named}.")]


def of_task(before: Task | None, after: Task) -> list[Happening]:
    """A task was placed, ran, was told to stop, or has stopped."""
    if before is None or before.is_stopped:
        return []
    found: list[Happening] = []
    if not before.instance and after.instance:
        found.append(_of_task(after, "task-started", "It was placed after it had waited for room."))
    if after.last_status == "RUNNING" and before.last_status != "RUNNING":
        found.append(_of_task(after, "task-running", "All its containers run."))
    if after.is_stopped:
        asked = ending.wanted_by(after).text
        ends = [one.text for one in ending.container_causes(after, None)[:1]]
        found.append(_of_task(after, "task-stopped", " ".join([asked, *ends])))
    elif after.desired_status == "STOPPED" and before.desired_status != "STOPPED":
        text = f"{ending.wanted_by(after).text} ({after.stop_code}: {after.stopped_reason})"
        found.append(_of_task(after, "task-stopping", text))
    return found


def of_protection(before: Task, after: Task, now: Instant) -> list[Happening]:
    """A task was protected by a call, or is so no longer; a longer time is no news."""
    if before.is_protected(now) == after.is_protected(now):
        return []
    until = after.protected_until
    if until is None:
        return [_of_task(after, "task-unprotected", "It may be stopped again.")]
    text = f"Neither a scale-in nor a deployment stops it until {iso(until)}."
    return [_of_task(after, "task-protected", text)]


def of_host(before: ContainerInstance | None, after: ContainerInstance) -> list[Happening]:
    """A host joined, came, went, was lost, came back, was drained, or left."""
    if before is None:
        return [_of_host(after, "host-joined", "It registered in the cluster.")]
    return [
        _of_host(after, kind, text)
        for kind, text in (
            _status(before, after),
            _connection(before, after),
            _loss(before, after),
            _soundness(before, after),
            _attributes(before, after),
        )
        if kind
    ]


def of_deployment(before: ServiceDeployment | None, after: ServiceDeployment) -> list[Happening]:
    """A deployment was made, began, or ended in one way or another."""
    named = after.task_definition.rpartition("/")[2]
    if before is None:
        text = f"It is to bring out {named}, {after.desired_count} times."
        return [_of_deployment(after, "deployment-made", text)]
    if before.status == after.status and before.rollout_state == after.rollout_state:
        return []
    if after.status == "IN_PROGRESS" and before.status == "PENDING":
        return [_of_deployment(after, "deployment-begun", f"{named} is being brought out.")]
    reason = after.rollback_reason or after.status_reason or after.rollout_reason
    kind = "deployment-changed" if after.rollout_state == "IN_PROGRESS" else "deployment-ended"
    text = f"It is {after.status}, its rollout {after.rollout_state}. {reason}".rstrip()
    return [_of_deployment(after, kind, text)]


def of_freeze(freeze: Freeze, *, begun: bool) -> Happening:
    """A freeze began or ended, of a cluster or a service; the brake is one of a kind of its own."""
    subject = "brake" if freeze.cause == "brake" else "freeze"
    what = f"{freeze.cause}: {freeze.reason}"
    who = f" By {freeze.created_by}." if freeze.created_by else ""
    text = (
        f"It holds {until_words(freeze)} ({what}).{who}"
        if begun
        else f"It holds no longer ({what})."
    )
    return Happening(
        cluster=make_arn("cluster", freeze.region, freeze.account, freeze.cluster),
        kind=f"{subject}-{'begun' if begun else 'ended'}",
        text=text,
        service=freeze.service,
    )


def of_service(before: Service | None, after: Service) -> list[Happening]:
    """A service was made, changed by somebody, or deleted."""
    if before is None or before.status == "INACTIVE":
        text = (
            f"It wants {after.desired_count} tasks of {after.task_definition.rpartition('/')[2]}."
        )
        return [_of_service(after, "service-made", text)]
    if before.status == "ACTIVE" and after.status == "DRAINING":
        return [_of_service(after, "service-deleted", "It is INACTIVE once its tasks have ended.")]
    found: list[Happening] = []
    if before.desired_count != after.desired_count:
        text = f"It wants {after.desired_count} tasks; before it was {before.desired_count}."
        found.append(_of_service(after, "service-scaled", text))
    changed = _changed(before, after, _SET_BY_OWNERS)
    if changed:
        found.append(_of_service(after, "service-changed", f"Changed: {changed}."))
    return found


def of_event(event: ServiceEvent) -> list[Happening]:
    """What a service said, but for that which the entries of its tasks tell one by one."""
    arn = parse_arn(event.service)
    assert arn is not None, f"{event.service} spoke"
    cluster, name = arn.path
    text = event.message.removeprefix(f"(service {name}) ")
    if text.startswith(_OF_TASKS):
        return []
    home = make_arn("cluster", arn.region, arn.account, cluster)
    return [Happening(cluster=home, kind="service-event", text=text, service=name)]


def forgotten(oldest: Sequence[Happening], kept: int, now: Instant) -> Sequence[Happening]:
    """Which of a cluster's oldest happenings are let go: they are too old, or `kept` too many."""
    return [
        one
        for place, one in enumerate(oldest)
        if place < kept - EVENTS_MAX or later(one.at, KEPT) <= now
    ]


def _changed(before: object, after: object, members: Mapping[str, str]) -> str:
    """The names of those members of a record that differ, "" where none does."""
    return ", ".join(
        name
        for member, name in members.items()
        if getattr(before, member) != getattr(after, member)
    )


def _status(before: ContainerInstance, after: ContainerInstance) -> tuple[str, str]:
    if before.status == after.status:
        return "", ""
    if after.status == "DRAINING":
        drain = after.drain
        until = "" if drain is None else f" until {iso(drain.deadline)}, then {drain.on_timeout}"
        return "host-draining", f"Its services move their tasks elsewhere{until}."
    if after.status == "ACTIVE":
        return "host-activated", "It takes tasks again."
    return LEFT, "It was deregistered."


def _connection(before: ContainerInstance, after: ContainerInstance) -> tuple[str, str]:
    if before.connected == after.connected:
        return "", ""
    if after.connected:
        return (
            "host-connected",
            f"Its agent ({after.agent_version or 'unknown'}) opened its session.",
        )
    return "host-disconnected", _GOINGS[after.disconnection]


def _loss(before: ContainerInstance, after: ContainerInstance) -> tuple[str, str]:
    if before.lost_at is None and after.lost_at is not None:
        return "host-lost", _LOSSES[after.loss or "silent"]
    if before.lost_at is not None and after.lost_at is None:
        rest = _rest(after.flapping_until)
        return "host-returned", f"It is back, and reports what it still runs.{rest}"
    if before.confirmed_at is None and after.confirmed_at is not None:
        return "host-confirmed", "Somebody said that it will not come back with its tasks."
    if before.replace_at is None and after.replace_at is not None:
        return "host-released", "Its tasks may be replaced elsewhere from now on."
    return "", ""


def _soundness(before: ContainerInstance, after: ContainerInstance) -> tuple[str, str]:
    was, is_now = _impaired(before), _impaired(after)
    if was == is_now:
        return "", ""
    if not is_now:
        return "host-sound", "It is sound again."
    if after.engine_gone_at is not None:
        return "host-impaired", "Its agent says that its container engine is gone."
    return "host-impaired", after.runtime_reason or "Its agent says that its runtime is impaired."


def _attributes(before: ContainerInstance, after: ContainerInstance) -> tuple[str, str]:
    if before.attributes == after.attributes:
        return "", ""
    had = {one.name: one.value for one in before.attributes if is_custom(one.name)}
    has = {one.name: one.value for one in after.attributes if is_custom(one.name)}
    put = [
        name if value is None else f"{name}={value}"
        for name, value in has.items()
        if name not in had or had[name] != value
    ]
    gone = [name for name in had if name not in has]
    told = [f"Put: {', '.join(put)}."] * bool(put) + [f"Deleted: {', '.join(gone)}."] * bool(gone)
    return ("host-attributes", " ".join(told)) if told else ("", "")


def _impaired(instance: ContainerInstance) -> bool:
    return instance.runtime_status == "IMPAIRED" or instance.engine_gone_at is not None


def _rest(until: Instant | None) -> str:
    return "" if until is None else f" It was lost twice lately, and rests until {iso(until)}."


def _of_task(task: Task, kind: str, text: str) -> Happening:
    return Happening(
        cluster=task.cluster_arn,
        kind=kind,
        text=text,
        service=task.service.rpartition("/")[2],
        instance=task.instance,
        task=task.id,
        deployment=task.deployment,
    )


def _of_host(instance: ContainerInstance, kind: str, text: str) -> Happening:
    return Happening(
        cluster=instance.cluster_arn,
        kind=kind,
        text=text,
        instance=instance.arn,
        host=instance.name,
    )


def _of_deployment(deployment: ServiceDeployment, kind: str, text: str) -> Happening:
    return Happening(
        cluster=make_arn("cluster", deployment.region, deployment.account, deployment.cluster),
        kind=kind,
        text=text,
        service=deployment.service.rpartition("/")[2],
        deployment=deployment.id,
    )


def _of_service(service: Service, kind: str, text: str) -> Happening:
    return Happening(cluster=service.cluster_arn, kind=kind, text=text, service=service.name)


KINDS: Mapping[str, str] = {
    "task-waiting": "a task waits for room",
    "task-started": "a task was placed on a host",
    "task-running": "all containers of a task run",
    "task-stopping": "a task was told to stop",
    "task-stopped": "a task has stopped",
    "task-protected": "a task was protected from scale-in and deployments",
    "task-unprotected": "the protection of a task was ended by a call",
    "host-joined": "a host registered",
    "host-connected": "an agent opened its session",
    "host-disconnected": "an agent's session ended",
    "host-lost": "a host counts as lost",
    "host-released": "tasks of a lost host may be replaced",
    "host-confirmed": "a person confirmed a loss",
    "host-returned": "a lost host is back",
    "host-impaired": "a host cannot run what it should",
    "host-sound": "a host can again",
    "host-draining": "a drain began",
    "host-activated": "a drain ended",
    LEFT: "a host was deregistered",
    "host-attributes": "attributes of the owner's were put on a host, or deleted",
    "deployment-made": "a deployment was asked for",
    "deployment-begun": "the scheduler began with a deployment",
    "deployment-changed": "a deployment goes another way",
    "deployment-ended": "a deployment was completed, failed, or was stopped",
    "freeze-begun": "a freeze began",
    "freeze-ended": "a freeze ended",
    "brake-begun": "too many hosts were lost at once",
    "brake-ended": "lost hosts are replaced again",
    "service-made": "a service was created",
    "service-scaled": "a service wants more or fewer tasks",
    "service-changed": "other members of a service were changed",
    "service-deleted": "a service was deleted",
    "service-event": "a sentence of a service",
    "cluster-made": "a cluster was created",
    "cluster-changed": "settings, providers or tags of a cluster were changed",
    "cluster-deleted": "a cluster was deleted",
    "machine-ordered": "a machine of a pool is to be made",
    "machine-made": "a machine of a pool was made",
    "machine-failed": "a machine of a pool could not be made or unmade, or did not join",
    "machine-retiring": "a machine of a pool is no longer needed",
    "machine-ending": "a machine of a pool is to be unmade",
    "machine-gone": "a machine of a pool is gone",
}
