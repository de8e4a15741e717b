"""The volumes and the cgroup of a task: which it has, what they are called, how they are made.

A host volume without a path and a docker volume of scope `task` live as long as the task's
containers; a `shared` one that may be provisioned outlives them.
"""

from moorage.acs.task_messages import Container, Task, Volume
from moorage.agent.engine.instructions import CreateCgroup, CreateVolume, RemoveCgroup, RemoveVolume
from moorage.agent.engine.labels import LABEL_HOST, LABEL_TASK_ARN
from moorage.agent.engine.names import cgroup_name, docker_name
from moorage.agent.records.host import Host
from moorage.agent.records.task import ResourceRecord, TaskRecord


def _path(volume: Volume) -> str | None:
    """The host's path that the volume is, if it is one."""
    if volume.type not in {None, "host"}:
        return None
    return volume.host.source_path if volume.host else None


def _shared(volume: Volume) -> bool:
    described = volume.docker_volume_configuration
    return volume.type == "docker" and described is not None and described.scope == "shared"


def source(task: Task, volume: Volume) -> str:
    """What stands before the colon of a bind: a path of the host, or a volume's Docker name."""
    path = _path(volume)
    if path:
        return path
    return (volume.name or "") if _shared(volume) else docker_name(task, volume.name or "")


def mounted(task: Task, container: Container) -> list[str]:
    """The `Binds` of a container: `SOURCE:PATH[:ro]`."""
    volumes = {volume.name: volume for volume in task.volumes or ()}
    return [
        f"{source(task, volumes[mount.source_volume])}:{mount.container_path}"
        + (":ro" if mount.read_only else "")
        for mount in container.mount_points or ()
        if mount.source_volume in volumes and mount.container_path
    ]


def flaw(task: Task) -> str | None:
    """What makes these volumes impossible, in a sentence."""
    names = {volume.name for volume in task.volumes or ()}
    for volume in task.volumes or ():
        described = volume.docker_volume_configuration
        if not volume.name:
            return "a volume has no name"
        if volume.type not in {None, "host", "docker"}:
            return (
                f"volume {volume.name} has the type {volume.type}, which this agent does not have"
            )
        if described and described.autoprovision and described.scope != "shared":
            return f"task scoped volume could not be autoprovisioned: {volume.name}"
    for container in task.containers or ():
        for mount in container.mount_points or ():
            if mount.source_volume not in names:
                return (
                    f"container {container.name} mounts {mount.source_volume}, which is no volume"
                )
    return None


def resources(task: Task, host: Host) -> tuple[ResourceRecord, ...]:
    """What must be made before the task's first container is, in the order of making."""
    found: list[ResourceRecord] = []
    if host.cgroup_root is not None and (task.cpu or task.memory):
        found.append(ResourceRecord(kind="cgroup", name=cgroup_name(host.cgroup_root, task)))
    for volume in task.volumes or ():
        shared = _shared(volume)
        described = volume.docker_volume_configuration
        if _path(volume) or (shared and not (described and described.autoprovision)):
            continue
        found.append(ResourceRecord(kind="volume", name=source(task, volume), kept=shared))
    return tuple(found)


def making(task: TaskRecord, resource: ResourceRecord, host: Host) -> CreateVolume | CreateCgroup:
    """The instruction that makes a resource."""
    if resource.kind == "cgroup":
        return CreateCgroup(
            task_arn=task.arn,
            name=resource.name,
            cpu=task.task.cpu,
            memory_mebibytes=task.task.memory,
        )
    volume = next(v for v in task.task.volumes or () if source(task.task, v) == resource.name)
    described = volume.docker_volume_configuration
    labels = dict((described.labels if described else None) or {})
    if not resource.kept:
        labels |= {LABEL_TASK_ARN: task.arn, LABEL_HOST: host.name}
    return CreateVolume(
        task_arn=task.arn,
        name=resource.name,
        driver=described.driver if described else None,
        driver_options=described.driver_opts if described else None,
        labels=labels,
    )


def removing(task: TaskRecord, resource: ResourceRecord) -> RemoveVolume | RemoveCgroup:
    """The instruction that removes a resource."""
    if resource.kind == "cgroup":
        return RemoveCgroup(task_arn=task.arn, name=resource.name)
    return RemoveVolume(task_arn=task.arn, name=resource.name)
