"""Hosts, services, tasks and events as our own DescribeStatus shows them."""

from collections.abc import Mapping

from moorage.ecs.records.picture import Picture
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.counts import counts
from moorage.ecs.rules.placement.view import HostLoad
from moorage.ground.instant import epoch, maybe_epoch
from moorage.shapes.moorage import status as shapes


def host(load: HostLoad) -> shapes.HostStatus:
    """One host with what is left of it."""
    instance = load.instance
    return shapes.HostStatus(
        name=instance.name,
        arn=instance.arn,
        cluster=instance.cluster,
        status=instance.status,
        connected=instance.connected,
        lost=instance.lost_at is not None,
        cpu_total=instance.resources.cpu,
        cpu_free=load.cpu,
        memory_total=instance.resources.memory,
        memory_free=load.memory,
        tasks=load.tasks,
    )


def service(picture: Picture) -> shapes.ServiceStatus:
    """One service, counted now."""
    kept = picture.service
    counted = counts(picture.tasks)
    newest = next((one for one in picture.deployments if one.id == kept.deployment), None)
    return shapes.ServiceStatus(
        name=kept.name,
        arn=kept.arn,
        cluster=kept.cluster,
        status=kept.status,
        desired_count=kept.desired_count,
        running_count=counted.running,
        pending_count=counted.pending,
        task_definition=kept.task_definition.rpartition("/")[2],
        deployment=kept.deployment,
        rollout_state=newest.rollout_state if newest else None,
        failed_starts=kept.backoff.failures,
        next_start_at=maybe_epoch(kept.backoff.until),
        waits_for_room=kept.waits_for_room,
    )


def task(one: Task, hosts: Mapping[str, str]) -> shapes.TaskStatus:
    """One task; `hosts` are the names of hosts by their ARNs."""
    return shapes.TaskStatus(
        id=one.id,
        arn=one.arn,
        cluster=one.cluster,
        host=hosts.get(one.instance, ""),
        group=one.group,
        task_definition=f"{one.family}:{one.revision}",
        last_status=one.last_status,
        desired_status=one.desired_status,
        health_status=one.health,
        connectivity=one.connectivity,
        started_at=maybe_epoch(one.started_at),
    )


def events(picture: Picture) -> list[shapes.EventStatus]:
    """The newest sentences of one service."""
    return [
        shapes.EventStatus(
            service=picture.service.name,
            created_at=epoch(event.created_at),
            message=event.message,
        )
        for event in picture.events
    ]
