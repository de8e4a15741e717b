"""Volumes and mount points: of one kind each, named once, known where they are mounted."""

from collections.abc import Sequence

from moorage.ground.names import RESOURCE_NAME
from moorage.shapes.ecs.container_definition import ContainerDefinition
from moorage.shapes.ecs.volume import Volume

_KINDS = (
    "docker_volume_configuration",
    "efs_volume_configuration",
    "s3files_volume_configuration",
    "fsx_windows_file_server_volume_configuration",
)


def wrong_volumes(volumes: Sequence[Volume], containers: Sequence[ContainerDefinition]) -> str:
    """What is wrong with the volumes or with how they are mounted, or ""."""
    names: set[str] = set()
    for volume in volumes:
        message = _wrong(volume, names)
        if message:
            return message
        names.add(volume.name or "")
    for container in containers:
        message = _wrong_mounts(container, names)
        if message:
            return message
    return ""


def _wrong(volume: Volume, names: set[str]) -> str:
    if not volume.name:
        return "Volume name should not be null or empty."
    if not RESOURCE_NAME.fullmatch(volume.name):
        return "Volume name contains invalid characters."
    if volume.name in names:
        return f"Volume names must be unique; '{volume.name}' is used more than once."
    source = volume.host.source_path if volume.host else None
    if source == "":
        return "host.sourcePath should not be blank."
    if source is not None and not source.startswith("/"):
        return f"The host.sourcePath of volume '{volume.name}' must be an absolute path."
    kinds = [kind for kind in _KINDS if getattr(volume, kind, None) is not None]
    if len(kinds) + (source is not None) + bool(volume.configured_at_launch) > 1:
        return f"Volume '{volume.name}' must have only one configuration."
    docker = volume.docker_volume_configuration
    if docker is not None and docker.autoprovision and docker.scope != "shared":
        return f"Volume '{volume.name}': autoprovision is only valid with the scope shared."
    return ""


def _wrong_mounts(container: ContainerDefinition, names: set[str]) -> str:
    paths: set[str] = set()
    for mount in container.mount_points or ():
        if mount.source_volume not in names:
            shown = "null" if mount.source_volume is None else mount.source_volume
            return f"Unknown volume '{shown}'."
        path = mount.container_path or ""
        if not path.startswith("/"):
            return f"Invalid 'containerPath' setting for container '{container.name}'."
        if path in paths:
            return f"Container '{container.name}' mounts more than one volume at {path}."
        paths.add(path)
    return ""
