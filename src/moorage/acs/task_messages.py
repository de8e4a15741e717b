"""The task as a payload carries it: Amazon's `Task` object with everything inside it that we use.

Member names are those of Amazon's ACS model (2014-11-13); a member of the model that is not
listed here is ignored when it comes. Wire shapes default to None only, since members that hold
their default are left out of a frame.
"""

from moorage.ground.record import Record

# An agent with this attribute stops the tasks that are to be fenced, when it has lost the server.
CAPABILITY_OF_FENCING = "moorage.capability.fence"
# The type of an association that is a GPU.
GPU = "gpu"


class Shape(Record, rename="camel"):
    """A value inside a message; camelCase on the wire."""


class DockerConfig(Shape):
    """What Docker is told verbatim: `config` and `host_config` are JSON *texts* in its own words.

    They are laid over what the agent computed, so that their members win.
    """

    version: str | None = None
    config: str | None = None
    host_config: str | None = None


class PortMapping(Shape):
    """A port of a container; a host port of 0 or none lets the host choose one."""

    container_port: int | None = None
    host_port: int | None = None
    container_port_range: str | None = None
    protocol: str | None = None


class MountPoint(Shape):
    """A volume of the task at a path of the container."""

    source_volume: str | None = None
    container_path: str | None = None
    read_only: bool | None = None


class VolumeFrom(Shape):
    """All mounts of another container of the same task."""

    source_container: str | None = None
    read_only: bool | None = None


class ContainerDependency(Shape):
    """`condition` is START, COMPLETE, SUCCESS or HEALTHY."""

    container_name: str
    condition: str


class RestartPolicy(Shape):
    """Restart in place; `restart_attempt_period` is in seconds."""

    enabled: bool | None = None
    ignored_exit_codes: tuple[int, ...] | None = None
    restart_attempt_period: int | None = None


class EcrAuthentication(Shape):
    """Which registry issues the token for a pull."""

    registry_id: str | None = None
    region: str | None = None
    endpoint_override: str | None = None
    use_execution_role: bool | None = None


class RegistryAuthentication(Shape):
    """`type` is ecr; what Amazon's agent needs to log in at the registry."""

    type: str | None = None
    ecr_auth_data: EcrAuthentication | None = None


class Container(Shape):
    """One container of a task; `cpu` in shares of 1024 a core, `memory` in MiB, times in seconds."""

    name: str
    image: str | None = None
    essential: bool | None = None
    cpu: int | None = None
    memory: int | None = None
    command: tuple[str, ...] | None = None
    entry_point: tuple[str, ...] | None = None
    environment: dict[str, str] | None = None
    port_mappings: tuple[PortMapping, ...] | None = None
    mount_points: tuple[MountPoint, ...] | None = None
    volumes_from: tuple[VolumeFrom, ...] | None = None
    links: tuple[str, ...] | None = None
    depends_on: tuple[ContainerDependency, ...] | None = None
    start_timeout: int | None = None
    stop_timeout: int | None = None
    restart_policy: RestartPolicy | None = None
    health_check_type: str | None = None
    registry_authentication: RegistryAuthentication | None = None
    overrides: str | None = None
    container_arn: str | None = None
    docker_config: DockerConfig | None = None


class HostVolume(Shape):
    """A path of the host; empty means a volume that lives as long as its task."""

    source_path: str | None = None


class DockerVolume(Shape):
    """`scope` is task or shared."""

    scope: str | None = None
    autoprovision: bool | None = None
    driver: str | None = None
    driver_opts: dict[str, str] | None = None
    labels: dict[str, str] | None = None


class Volume(Shape):
    """A volume of the task; `type` is host (also when missing) or docker."""

    name: str | None = None
    type: str | None = None
    host: HostVolume | None = None
    docker_volume_configuration: DockerVolume | None = None


class RoleCredentials(Shape):
    """Credentials of a role; `expiration` is ISO 8601 and passed through unread."""

    credentials_id: str | None = None
    role_arn: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    expiration: str | None = None


class Association(Shape):
    """A device of the host that belongs to some containers; `type` is gpu, `name` the GPU's id."""

    name: str | None = None
    type: str | None = None
    containers: tuple[str, ...] | None = None


class TaskExtras(Shape):
    """Ours: what Amazon's agent ignores and an agent with `moorage.capability.agent` is told.

    `registry_names` are the `HOST:PORT` under which images of our registry are named;
    `claimed_digests` are digests of this task's images that must not leave the host. How the task
    is seen to while the server is away: after so many seconds its ended containers are run again
    (`heal_after_seconds`), or it is stopped (`fence_after_seconds`); None: neither. `service` and
    `service_revision` (ARNs), `deployment` and `started_by` are what a database that is older than
    the task lacks of it: the agent tells them back (InventoryMessage).
    """

    service_name: str | None = None
    registry_names: tuple[str, ...] | None = None
    claimed_digests: tuple[str, ...] | None = None
    heal_after_seconds: float | None = None
    fence_after_seconds: float | None = None
    service: str | None = None
    deployment: str | None = None
    service_revision: str | None = None
    started_by: str | None = None


class Task(Shape):
    """A task to run or to stop; `cpu` in vCPU, `memory` in MiB, both for the whole task."""

    arn: str
    desired_status: str
    task_cluster_arn: str | None = None
    family: str | None = None
    version: str | None = None
    containers: tuple[Container, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    cpu: float | None = None
    memory: int | None = None
    network_mode: str | None = None
    pid_mode: str | None = None
    ipc_mode: str | None = None
    associations: tuple[Association, ...] | None = None
    role_credentials: RoleCredentials | None = None
    execution_role_credentials: RoleCredentials | None = None
    launch_type: str | None = None
    service_name: str | None = None
    group: str | None = None
    moorage: TaskExtras | None = None


def gpus_of(task: Task, container: str) -> tuple[str, ...]:
    """The ids of the GPUs that a task's associations give to one of its containers."""
    return tuple(
        one.name
        for one in task.associations or ()
        if one.type == GPU and one.name and container in (one.containers or ())
    )
