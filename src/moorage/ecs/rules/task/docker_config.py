"""Docker's part of a container: its Config and HostConfig, in Docker's own words and units.

Agents lay these over what they compute themselves, so everything of a container definition that
Docker must know stands here: times in nanoseconds, sizes in bytes. Docker Engine API 1.41.
"""

from collections.abc import Iterable, Mapping

import msgspec

from moorage.ecs.rules.task.draft import has_health_check
from moorage.shapes.ecs.container_definition import (
    ContainerDefinition,
    Device,
    HealthCheck,
    LinuxParameters,
    LogConfiguration,
    Tmpfs,
)

BYTES_PER_MEBIBYTE = 1 << 20
NANOSECONDS_PER_SECOND = 1_000_000_000
# Docker keeps logs for ever unless it is told otherwise.
LOG_OPTIONS_DEFAULT: Mapping[str, Mapping[str, str]] = {
    "json-file": {"max-size": "10m", "max-file": "3"},
    "local": {"max-size": "10m", "max-file": "3"},
}
LOG_DRIVER_DEFAULT = "json-file"
_DEVICE_PERMISSIONS = {"read": "r", "write": "w", "mknod": "m"}
Json = dict[str, object]


def config(container: ContainerDefinition) -> str:
    """The JSON text of Docker's Config; what is empty is left to the image."""
    found: Json = {
        "User": container.user,
        "WorkingDir": container.working_directory,
        "Hostname": container.hostname,
        "Labels": container.docker_labels,
        "Healthcheck": _health_check(container),
        "OpenStdin": container.interactive,
        "Tty": container.pseudo_terminal,
        "NetworkDisabled": container.disable_networking,
    }
    return _text(found)


def host_config(container: ContainerDefinition, network_mode: str | None) -> str:
    """The JSON text of Docker's HostConfig."""
    mode = network_mode or "bridge"
    reserved = container.memory_reservation
    found: Json = {
        "NetworkMode": None if mode == "awsvpc" else mode,
        "LogConfig": _log_config(container.log_configuration),
        "MemoryReservation": reserved * BYTES_PER_MEBIBYTE if reserved else None,
        "Ulimits": [
            {"Name": one.name, "Soft": one.soft_limit or 0, "Hard": one.hard_limit or 0}
            for one in container.ulimits or ()
        ],
        "Privileged": container.privileged,
        "ReadonlyRootfs": container.readonly_root_filesystem,
        "Dns": container.dns_servers,
        "DnsSearch": container.dns_search_domains,
        "ExtraHosts": [f"{one.hostname}:{one.ip_address}" for one in container.extra_hosts or ()],
        "SecurityOpt": container.docker_security_options,
        "Sysctls": {one.namespace: one.value for one in container.system_controls or ()},
    }
    found.update(_linux(container.linux_parameters, container.memory))
    return _text(found)


def _text(found: Json) -> str:
    kept = {key: value for key, value in found.items() if value not in (None, "", [], {})}
    return msgspec.json.encode(kept).decode()


def _health_check(container: ContainerDefinition) -> Json | None:
    """The check as Docker runs it; an image's own check is switched off, as ECS ignores it."""
    check = container.health_check
    if check is None or not has_health_check(container):
        return {"Test": ["NONE"]}
    return _times(check) | {"Test": check.command, "Retries": check.retries}


def _times(check: HealthCheck) -> Json:
    found = {
        "Interval": check.interval,
        "Timeout": check.timeout,
        "StartPeriod": check.start_period,
    }
    return {key: value * NANOSECONDS_PER_SECOND for key, value in found.items() if value}


def _log_config(logs: LogConfiguration | None) -> Json:
    driver = (logs.log_driver if logs else None) or LOG_DRIVER_DEFAULT
    given = (logs.options or {}) if logs else {}
    return {"Type": driver, "Config": {**LOG_OPTIONS_DEFAULT.get(driver, {}), **given}}


def _linux(linux: LinuxParameters | None, memory: int | None) -> Json:
    if linux is None:
        return {}
    capabilities = linux.capabilities
    shared, swap = linux.shared_memory_size, linux.max_swap
    return {
        "CapAdd": capabilities.add if capabilities else None,
        "CapDrop": capabilities.drop if capabilities else None,
        "Devices": [_device(one) for one in linux.devices or ()],
        "Init": linux.init_process_enabled,
        "ShmSize": shared * BYTES_PER_MEBIBYTE if shared else None,
        "Tmpfs": {one.container_path: _tmpfs(one) for one in linux.tmpfs or ()},
        # Docker counts memory and swap together; without a hard limit there is nothing to count.
        "MemorySwap": (memory + swap) * BYTES_PER_MEBIBYTE if memory and swap is not None else None,
        "MemorySwappiness": linux.swappiness if swap is not None else None,
    }


def _device(device: Device) -> Json:
    return {
        "PathOnHost": device.host_path,
        "PathInContainer": device.container_path or device.host_path,
        "CgroupPermissions": _permissions(device.permissions),
    }


def _permissions(asked: Iterable[str] | None) -> str:
    return "".join(_DEVICE_PERMISSIONS.get(one, "") for one in asked or _DEVICE_PERMISSIONS)


def _tmpfs(tmpfs: Tmpfs) -> str:
    return ",".join([f"size={tmpfs.size}m", *(tmpfs.mount_options or ())])
