"""From a container of a payload to the body with which Docker creates it.

The agent computes a body from the container's own members; the texts `dockerConfig.config` and
`dockerConfig.hostConfig` are then laid over it as Amazon's agent does (a JSON object is merged,
anything else replaces), and last the labels by which the container is known again, which nothing
may replace. Units: Docker's memory in bytes, ours in MiB.
"""

from collections.abc import Mapping

import msgspec

from moorage.acs.task_messages import Container, PortMapping, Task, gpus_of
from moorage.agent.engine.labels import (
    LABEL_ATTEMPT,
    LABEL_CLUSTER,
    LABEL_CONTAINER,
    LABEL_FAMILY,
    LABEL_HOST,
    LABEL_INSTANCE,
    LABEL_TASK,
    LABEL_TASK_ARN,
    LABEL_VERSION,
)
from moorage.agent.engine.names import cgroup_name, docker_name, region
from moorage.agent.engine.volumes import mounted
from moorage.agent.records.container import ContainerSpec
from moorage.agent.records.host import Host
from moorage.ground.record import Record, evolve

STOP_TIMEOUT_SECONDS_DEFAULT = 30
CPU_SHARES_MIN = 2
MEMORY_MEBIBYTES_MIN = 6
BYTES_PER_MEBIBYTE = 1024 * 1024
PORT_RANGE_LENGTH_MAX = 100
ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - the word for "wherever Docker likes"
_OBJECT = msgspec.json.Decoder(dict[str, object])


class Unspecifiable(Record):
    """No body can be made; `reason` begins with the error's name, as ECS shows it."""

    reason: str


class Making(Record):
    """What is made: the container `name` of `task`, from `image`, for the `attempt`-th time."""

    task: Task
    container: Container
    image: str
    attempt: int


def stop_timeout_seconds(container: Container) -> int:
    """How long SIGTERM is given before SIGKILL follows."""
    return container.stop_timeout or STOP_TIMEOUT_SECONDS_DEFAULT


def specify(making: Making, host: Host) -> ContainerSpec | Unspecifiable:
    """The Docker name and creation body of a container; never raises for bad texts."""
    task, container = making.task, making.container
    config = container.docker_config
    try:
        given_config = _decoded(config.config if config else None)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        return Unspecifiable(
            reason=f"DockerClientConfigError: Unable to decode given docker config: {error}"
        )
    try:
        given_host = _decoded(config.host_config if config else None)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        return Unspecifiable(reason=f"HostConfigError: Unable to decode given host config: {error}")
    try:
        command = _command(container)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        return Unspecifiable(
            reason=f"CannotCreateContainerError: Unable to decode the overrides: {error}"
        )
    mode = given_host.get("NetworkMode") or _network_mode(task)
    published = [] if mode in {"host", "none"} else _ports(container)
    body = _overlay(_config(making, command, published), given_config)
    host_config = _overlay(_host_config(making, host, published), given_host)
    if mode is not None:
        host_config.setdefault("NetworkMode", mode)
    given_labels = body.get("Labels")
    labels = {
        **(
            {str(k): str(v) for k, v in given_labels.items()}
            if isinstance(given_labels, dict)
            else {}
        ),
        **identity(making, host),
    }
    return ContainerSpec(
        name=docker_name(task, container.name),
        image=making.image,
        labels=labels,
        body={**body, "Labels": labels, "HostConfig": host_config},
    )


def identity(making: Making, host: Host) -> dict[str, str]:
    """The labels by which agent and operator know the container again."""
    return {
        LABEL_CLUSTER: host.cluster,
        LABEL_CONTAINER: making.container.name,
        LABEL_TASK_ARN: making.task.arn,
        LABEL_FAMILY: making.task.family or "",
        LABEL_VERSION: making.task.version or "",
        LABEL_HOST: host.name,
        LABEL_INSTANCE: host.container_instance_arn,
        LABEL_ATTEMPT: str(making.attempt),
        LABEL_TASK: msgspec.json.encode(skeleton(making.task)).decode(),
    }


def skeleton(task: Task) -> Task:
    """The task without what may be secret or long: enough to watch, stop and report it."""
    return evolve(
        task,
        role_credentials=None,
        execution_role_credentials=None,
        containers=tuple(
            evolve(
                container,
                command=None,
                entry_point=None,
                environment=None,
                registry_authentication=None,
                overrides=None,
                docker_config=None,
            )
            for container in task.containers or ()
        ),
    )


def host_network(task: Task, container: Container) -> bool:
    """Whether the container shares the host's network: then its ports are the host's."""
    config = container.docker_config
    try:
        given = _decoded(config.host_config if config else None)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return False
    return (given.get("NetworkMode") or _network_mode(task)) == "host"


def dynamic_ports(container: Container) -> bool:
    """Whether some port of the container is for Docker to choose."""
    return any(not mapping.host_port for mapping in container.port_mappings or ())


def _decoded(text: str | None) -> dict[str, object]:
    return _OBJECT.decode(text) if text else {}


def _command(container: Container) -> list[str] | None:
    given = _decoded(container.overrides).get("command")
    if given is not None:
        return msgspec.convert(given, list[str])
    return None if container.command is None else list(container.command)


def _network_mode(task: Task) -> str | None:
    return task.network_mode if task.network_mode in {"host", "none"} else None


def _ports(container: Container) -> list[tuple[str, str]]:
    """Pairs of `PORT/PROTOCOL` in the container and the port of the host ("" for any)."""
    found: list[tuple[str, str]] = []
    for mapping in container.port_mappings or ():
        protocol = mapping.protocol or "tcp"
        host_port = str(mapping.host_port) if mapping.host_port else ""
        found += [(f"{port}/{protocol}", host_port) for port in _container_ports(mapping)]
    return found


def _container_ports(mapping: PortMapping) -> range:
    if mapping.container_port is not None:
        return range(mapping.container_port, mapping.container_port + 1)
    low, _, high = (mapping.container_port_range or "").partition("-")
    if not (low.isdecimal() and high.isdecimal()):
        return range(0)
    return range(int(low), min(int(high) + 1, int(low) + PORT_RANGE_LENGTH_MAX))


def _config(
    making: Making, command: list[str] | None, published: list[tuple[str, str]]
) -> dict[str, object]:
    task, container = making.task, making.container
    environment = dict(container.environment or {})
    where = region(task.arn)
    if where is not None:
        environment.setdefault("AWS_REGION", where)
        environment.setdefault("AWS_DEFAULT_REGION", where)
    body: dict[str, object] = {
        "Image": making.image,
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "StopTimeout": stop_timeout_seconds(container),
    }
    if command is not None:
        body["Cmd"] = command
    if container.entry_point is not None:
        body["Entrypoint"] = list(container.entry_point)
    if published:
        body["ExposedPorts"] = {port: {} for port, _ in published}
    return body


def _host_config(making: Making, host: Host, published: list[tuple[str, str]]) -> dict[str, object]:
    task, container = making.task, making.container
    body: dict[str, object] = {
        "CpuShares": max(container.cpu or 0, CPU_SHARES_MIN),
        # The engine of this agent restarts containers by itself; Docker must not do so beside it.
        "RestartPolicy": {"Name": "no"},
    }
    if container.memory:
        body["Memory"] = max(container.memory, MEMORY_MEBIBYTES_MIN) * BYTES_PER_MEBIBYTE
    if published:
        address = "" if host.publish_address == ALL_ADDRESSES else host.publish_address
        bindings: dict[str, list[dict[str, str]]] = {}
        for port, host_port in published:
            bindings.setdefault(port, []).append({"HostIp": address, "HostPort": host_port})
        body["PortBindings"] = bindings
    gpus = gpus_of(task, container.name)
    if gpus:
        # Docker Engine API 1.40, DeviceRequest; the engine's NVIDIA runtime does the rest.
        body["DeviceRequests"] = [{"DeviceIDs": list(gpus), "Capabilities": [["gpu"]]}]
    binds = mounted(task, container)
    if binds:
        body["Binds"] = binds
    sources = [
        f"{docker_name(task, source.source_container)}:{'ro' if source.read_only else 'rw'}"
        for source in container.volumes_from or ()
        if source.source_container
    ]
    if sources:
        body["VolumesFrom"] = sources
    if container.links:
        body["Links"] = [_link(task, link) for link in container.links]
    if host.cgroup_root is not None and (task.cpu or task.memory):
        body["CgroupParent"] = cgroup_name(host.cgroup_root, task)
    return body


def _link(task: Task, link: str) -> str:
    name, _, alias = link.partition(":")
    return f"{docker_name(task, name)}:{alias or name}"


def _overlay(computed: dict[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """`computed` with `given` laid over it, objects merged one level deep (as Go unmarshals)."""
    result = dict(computed)
    for key, value in given.items():
        below = result.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            result[key] = {**below, **value}
        elif value is not None:
            result[key] = value
    return result
