"""Writes a task as the agent's protocol carries it (agent-protocol.md section 4)."""

from collections.abc import Sequence

from moorage.acs import task_messages as acs
from moorage.ecs.records.task import Task
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.definition.overrides import overridden
from moorage.ecs.rules.definition.sizes import UNITS_PER_VCPU, cpu_units, memory_mebibytes
from moorage.ecs.rules.task.container import payload_container
from moorage.ecs.rules.task.log_mode import with_log_mode
from moorage.ground.instant import Duration, in_seconds
from moorage.ground.record import Record
from moorage.shapes.ecs.volume import Volume


class Delivery(Record):
    """What a payload says beside the task.

    `cluster_arn` is the cluster's; `registry_names` are those under which our registry is known
    (`HOST:PORT`), `ecr_endpoint` the URL at which its tokens are issued; `claimed_digests` are
    digests that must not leave the host; `log_mode` is how log drivers are fed whose mode the
    definition leaves open.
    """

    cluster_arn: str
    registry_names: tuple[str, ...] = ()
    ecr_endpoint: str = ""
    claimed_digests: tuple[str, ...] = ()
    log_mode: str = "blocking"


def run_payload(task: Task, definition: TaskDefinition, delivery: Delivery) -> acs.Task:
    """The order to run a task: everything of Docker's is written out, overrides merged."""
    asked = overridden(definition.definition, task.overrides)
    by_name = {
        one.name: with_log_mode(one, delivery.log_mode) for one in asked.container_definitions or ()
    }
    cpu = cpu_units(asked.cpu) if asked.cpu else None
    return acs.Task(
        arn=task.arn,
        desired_status="RUNNING",
        task_cluster_arn=delivery.cluster_arn,
        family=task.family,
        version=str(task.revision),
        containers=tuple(
            payload_container(
                by_name[known.name],
                known,
                asked.network_mode,
                _registry(known.image, task, delivery),
            )
            for known in task.containers
        ),
        volumes=_volumes(asked.volumes or []),
        cpu=cpu / UNITS_PER_VCPU if cpu else None,
        memory=memory_mebibytes(asked.memory) if asked.memory else None,
        network_mode=asked.network_mode or "bridge",
        pid_mode=asked.pid_mode,
        ipc_mode=asked.ipc_mode,
        associations=tuple(
            acs.Association(name=gpu, type=acs.GPU, containers=(known.name,))
            for known in task.containers
            for gpu in known.gpu_ids
        )
        or None,
        launch_type=task.launch_type,
        service_name=task.service.rpartition("/")[2] or None,
        group=task.group,
        moorage=acs.TaskExtras(
            service_name=task.service.rpartition("/")[2] or None,
            registry_names=delivery.registry_names or None,
            claimed_digests=delivery.claimed_digests or None,
            heal_after_seconds=_seconds(task.heal_after),
            fence_after_seconds=_seconds(task.fence_after),
            service=task.service or None,
            deployment=task.deployment or None,
            service_revision=task.service_revision or None,
            started_by=task.started_by or None,
        ),
    )


def stop_payload(task: Task, cluster_arn: str) -> acs.Task:
    """The order to stop a task; an agent that does not know it still learns its containers."""
    return acs.Task(
        arn=task.arn,
        desired_status="STOPPED",
        task_cluster_arn=cluster_arn,
        family=task.family,
        version=str(task.revision),
        containers=tuple(
            acs.Container(name=one.name, image=one.image, essential=one.essential)
            for one in task.containers
        ),
    )


def _seconds(duration: Duration | None) -> float | None:
    return None if duration is None else in_seconds(duration)


def _registry(image: str, task: Task, delivery: Delivery) -> acs.EcrAuthentication | None:
    """Who issues the token for an image of our registry; None for any other image."""
    if image.partition("/")[0] not in delivery.registry_names:
        return None
    return acs.EcrAuthentication(
        registry_id=task.account,
        region=task.region,
        endpoint_override=delivery.ecr_endpoint or None,
        use_execution_role=False,
    )


def _volumes(volumes: Sequence[Volume]) -> tuple[acs.Volume, ...]:
    return tuple(_volume(one) for one in volumes)


def _volume(volume: Volume) -> acs.Volume:
    docker = volume.docker_volume_configuration
    if docker is None:
        source = volume.host.source_path if volume.host else None
        return acs.Volume(name=volume.name, type="host", host=acs.HostVolume(source_path=source))
    return acs.Volume(
        name=volume.name,
        type="docker",
        docker_volume_configuration=acs.DockerVolume(
            scope=docker.scope or "task",
            autoprovision=docker.autoprovision,
            driver=docker.driver or "local",
            driver_opts=docker.driver_opts,
            labels=docker.labels,
        ),
    )
