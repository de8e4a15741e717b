"""A host as it is described, with what is left of it."""

from collections.abc import Collection, Iterable, Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.counts import counts
from moorage.ecs.rules.placement.gpus import free_gpus
from moorage.ecs.rules.placement.view import HostLoad, cluster_view
from moorage.ground.instant import epoch, maybe_epoch
from moorage.ground.record import evolve
from moorage.shapes.ecs import container_instance as shapes
from moorage.shapes.ecs.attribute import Attribute

HEALTH = "CONTAINER_INSTANCE_HEALTH"
TAGS = "TAGS"


def view(
    instance: ContainerInstance, tasks: Sequence[Task], include: Collection[str]
) -> shapes.ContainerInstance:
    """The host with its live `tasks`; tags and health where `include` asks for them."""
    counted = counts(tasks)
    has_gpus = bool(instance.resources.gpu_ids)
    # The view of a cluster leaves INACTIVE hosts out; what is left of them is shown all the same.
    load = cluster_view([evolve(instance, status="ACTIVE")], tasks).hosts[instance.arn]
    return shapes.ContainerInstance(
        container_instance_arn=instance.arn,
        ec2_instance_id=instance.name or None,
        capacity_provider_name=instance.capacity_provider or None,
        version=instance.version,
        version_info=shapes.VersionInfo(
            agent_version=instance.agent_version or None,
            agent_hash=instance.agent_hash or None,
            docker_version=instance.docker_version or None,
        ),
        remaining_resources=[
            *_resources(_remaining(load, tasks), has_gpus=has_gpus),
            *_custom(instance),
        ],
        registered_resources=[
            *_resources(instance.resources, has_gpus=has_gpus),
            *_custom(instance),
        ],
        status=instance.status,
        agent_connected=instance.connected,
        running_tasks_count=counted.running,
        pending_tasks_count=counted.pending,
        attributes=[Attribute(name=one.name, value=one.value) for one in instance.attributes],
        registered_at=epoch(instance.registered_at),
        attachments=[],
        tags=instance.tags if TAGS in include else [],
        health_status=_health(instance) if HEALTH in include else None,
    )


def _custom(instance: ContainerInstance) -> list[shapes.Resource]:
    """What its agent registered beyond CPU, memory, ports and GPUs; no task can ask for it."""
    return [
        evolve(
            one,
            double_value=one.double_value or 0.0,
            long_value=one.long_value or 0,
            integer_value=one.integer_value or 0,
        )
        for one in instance.custom_resources
    ]


def _remaining(load: HostLoad, tasks: Sequence[Task]) -> Resources:
    """What a host has left; `ports` are those that are taken."""
    free = free_gpus(load.instance, tasks)
    return Resources(
        cpu=load.cpu,
        memory=load.memory,
        ports=tuple(sorted(load.ports)),
        ports_udp=tuple(sorted(load.ports_udp)),
        gpus=len(free),
        gpu_ids=free,
    )


def _resources(resources: Resources, *, has_gpus: bool) -> list[shapes.Resource]:
    shown = [
        _integer("CPU", resources.cpu),
        _integer("MEMORY", resources.memory),
        _set("PORTS", map(str, resources.ports)),
        _set("PORTS_UDP", map(str, resources.ports_udp)),
    ]
    return [*shown, _set("GPU", resources.gpu_ids)] if has_gpus else shown


def _integer(name: str, value: int) -> shapes.Resource:
    return shapes.Resource(
        name=name, type="INTEGER", double_value=0.0, long_value=0, integer_value=value
    )


def _set(name: str, members: Iterable[str]) -> shapes.Resource:
    return shapes.Resource(
        name=name,
        type="STRINGSET",
        double_value=0.0,
        long_value=0,
        integer_value=0,
        string_set_value=list(members),
    )


def _health(instance: ContainerInstance) -> shapes.ContainerInstanceHealthStatus:
    checked = maybe_epoch(instance.runtime_status_at)
    return shapes.ContainerInstanceHealthStatus(
        overall_status=instance.runtime_status,
        details=[
            shapes.InstanceHealthCheckResult(
                type="CONTAINER_RUNTIME",
                status=instance.runtime_status,
                last_updated=checked,
                last_status_change=checked,
            )
        ],
    )
