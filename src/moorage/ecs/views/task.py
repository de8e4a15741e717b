"""A task as DescribeTasks, RunTask, StartTask and StopTask show it; the hot path of every waiter."""

from moorage.ecs.records.task import Task, TaskContainer
from moorage.ground.instant import epoch, maybe_epoch
from moorage.shapes.ecs import task as shapes
from moorage.shapes.ecs.attribute import Attribute

WAITING_REASON = "moorage.provisioning-reason"
WAITING_POSITION = "moorage.provisioning-position"


def view(task: Task, *, tags: bool = False, position: int | None = None) -> shapes.Task:
    """The task; its tags only where they were asked for, as ECS does (`include`).

    Of one that is PROVISIONING its attributes say why it waits and, with `position`, where it
    stands among those that wait for the same capacity provider.
    """
    return shapes.Task(
        attachments=[],
        attributes=_waiting(task, position),
        availability_zone=task.zone or None,
        cluster_arn=task.cluster_arn,
        connectivity=task.connectivity,
        connectivity_at=maybe_epoch(task.connectivity_at),
        capacity_provider_name=task.capacity_provider or None,
        container_instance_arn=task.instance or None,
        containers=[_container(task, one) for one in task.containers],
        cpu=task.cpu,
        created_at=epoch(task.created_at),
        desired_status=task.desired_status,
        enable_execute_command=task.enable_execute_command,
        execution_stopped_at=maybe_epoch(task.execution_stopped_at),
        group=task.group,
        health_status=task.health,
        last_status=task.last_status,
        launch_type=task.launch_type,
        memory=task.memory,
        overrides=task.overrides,
        pull_started_at=maybe_epoch(task.pull_started_at),
        pull_stopped_at=maybe_epoch(task.pull_stopped_at),
        started_at=maybe_epoch(task.started_at),
        started_by=task.started_by or None,
        stop_code=task.stop_code,
        stopped_at=maybe_epoch(task.stopped_at),
        stopped_reason=task.stopped_reason,
        stopping_at=maybe_epoch(task.stopping_at),
        tags=task.tags if tags else [],
        task_arn=task.arn,
        task_definition_arn=task.task_definition,
        version=task.version,
    )


def _waiting(task: Task, position: int | None) -> list[Attribute]:
    if task.provisioning is None:
        return []
    shown = [Attribute(name=WAITING_REASON, value=task.provisioning.reason)]
    if position is not None:
        shown.append(Attribute(name=WAITING_POSITION, value=str(position)))
    return shown


def _container(task: Task, container: TaskContainer) -> shapes.Container:
    return shapes.Container(
        container_arn=container.arn,
        task_arn=task.arn,
        name=container.name,
        image=container.image,
        image_digest=container.image_digest,
        runtime_id=container.runtime_id,
        last_status=container.last_status,
        exit_code=container.exit_code,
        reason=container.reason,
        network_bindings=list(container.network_bindings),
        network_interfaces=[],
        health_status=container.health,
        cpu=container.cpu,
        memory=container.memory,
        memory_reservation=container.memory_reservation,
        gpu_ids=list(container.gpu_ids) or None,
    )
