"""What must hold of one container definition, whatever stands around it."""

import re
from collections.abc import Callable

from moorage.ecs.rules.definition.linux import wrong_linux_parameters
from moorage.ecs.rules.placement.ports import PORT_MAX, RANGE_LENGTH_MAX, port_range
from moorage.ground.names import CONTAINER_NAME
from moorage.shapes.ecs.container_definition import (
    ContainerDefinition,
    PortMapping,
    ResourceRequirement,
)

IMAGE_LENGTH_MAX = 512
# Docker refuses less than 6 MiB.
MEMORY_MIN = 6
ENVIRONMENT_FILES_MAX = 10
PORT_RANGES_MAX = 100
IGNORED_EXIT_CODES_MAX = 50
GPU_DIGITS_MAX = 9
# ECS demands 60 s to 1,800 s; on hosts of one's own a shorter period is sound, too.
RESTART_PERIOD_SECONDS = (1, 1800)
# HealthCheck in the model: interval, timeout and startPeriod in seconds, retries.
_HEALTH_BOUNDS = {
    "interval": (5, 300),
    "timeout": (2, 60),
    "retries": (1, 10),
    "start_period": (0, 300),
}
_HEALTH_NAMES = {"start_period": "startPeriod"}
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:@-]*", re.ASCII)
_CHECKERS = frozenset({"CMD", "CMD-SHELL", "NONE"})


def _name(container: ContainerDefinition) -> str:
    if not container.name:
        return "Container.name should not be null or empty."
    if not CONTAINER_NAME.fullmatch(container.name):
        return "Container.name contains invalid characters."
    return ""


def _image(container: ContainerDefinition) -> str:
    if not container.image:
        return "Container.image should not be null or empty."
    if len(container.image) > IMAGE_LENGTH_MAX or not _IMAGE.fullmatch(container.image):
        return "Container.image contains invalid characters."
    return ""


def _sizes(container: ContainerDefinition) -> str:
    if container.cpu is not None and container.cpu < 0:
        return _invalid("cpu", container)
    hard, soft = container.memory, container.memory_reservation
    if hard is not None and hard < MEMORY_MIN:
        return _invalid("memory", container)
    if soft is not None and soft < 1:
        return _invalid("memoryReservation", container)
    if hard is not None and soft is not None and soft > hard:
        return (
            f"Invalid setting for container '{container.name}'. "
            "'memory' must be greater than or equal to 'memoryReservation'."
        )
    return ""


def _ports(container: ContainerDefinition) -> str:
    mappings = container.port_mappings or []
    if sum(bool(one.container_port_range) for one in mappings) > PORT_RANGES_MAX:
        return _invalid("containerPortRange", container)
    for mapping in mappings:
        wrong = _wrong_mapping(mapping)
        if wrong:
            return _invalid(wrong, container)
    named = [one.name for one in mappings if one.name]
    if len(set(named)) != len(named):
        return f"Port mapping names must be unique in container '{container.name}'."
    return ""


def _wrong_mapping(mapping: PortMapping) -> str:
    """The member of a mapping that is wrong, or ""."""
    if mapping.container_port_range is not None:
        ports = port_range(mapping.container_port_range)
        alone = mapping.container_port is None and not mapping.host_port
        sound = ports is not None and len(ports) <= RANGE_LENGTH_MAX and alone
        return "" if sound else "containerPortRange"
    if mapping.container_port is None or not 1 <= mapping.container_port <= PORT_MAX:
        return "containerPort"
    return "" if 0 <= (mapping.host_port or 0) <= PORT_MAX else "hostPort"


def _environment(container: ContainerDefinition) -> str:
    for pair in container.environment or ():
        if not pair.name or "=" in pair.name or "\0" in pair.name + (pair.value or ""):
            return _invalid("environment", container)
    if len(container.environment_files or ()) > ENVIRONMENT_FILES_MAX:
        return (
            f"Container '{container.name}' has more than {ENVIRONMENT_FILES_MAX} environmentFiles."
        )
    return ""


def _health(container: ContainerDefinition) -> str:
    check = container.health_check
    if check is None:
        return ""
    command = check.command or []
    if not command or command[0] not in _CHECKERS or (len(command) == 1 and command[0] != "NONE"):
        return (
            f"Invalid 'healthCheck' setting for container '{container.name}'. "
            "The command must begin with CMD or CMD-SHELL."
        )
    for member, (low, high) in _HEALTH_BOUNDS.items():
        value = getattr(check, member)
        if value is not None and not low <= value <= high:
            name = _HEALTH_NAMES.get(member, member)
            return (
                f"Invalid 'healthCheck' setting for container '{container.name}'. "
                f"The {name} must be between {low} and {high}."
            )
    return ""


def _restarts(container: ContainerDefinition) -> str:
    policy = container.restart_policy
    if policy is None:
        return ""
    low, high = RESTART_PERIOD_SECONDS
    period = policy.restart_attempt_period
    if period is not None and not low <= period <= high:
        return (
            f"Invalid 'restartPolicy' setting for container '{container.name}'. "
            f"The restartAttemptPeriod must be between {low} and {high} seconds."
        )
    if len(policy.ignored_exit_codes or ()) > IGNORED_EXIT_CODES_MAX:
        return (
            f"Invalid 'restartPolicy' setting for container '{container.name}'. "
            f"At most {IGNORED_EXIT_CODES_MAX} ignoredExitCodes are allowed."
        )
    return ""


def _timeouts(container: ContainerDefinition) -> str:
    for member, value in (
        ("startTimeout", container.start_timeout),
        ("stopTimeout", container.stop_timeout),
    ):
        if value is not None and value < 0:
            return _invalid(member, container)
    return ""


def _ulimits(container: ContainerDefinition) -> str:
    for limit in container.ulimits or ():
        soft, hard = limit.soft_limit or 0, limit.hard_limit or 0
        # -1 is no limit at all, above every other.
        if hard != -1 and (soft > hard or soft == -1):
            return (
                f"Invalid 'ulimits' setting for container '{container.name}'. "
                f"The softLimit of {limit.name} must not be greater than its hardLimit."
            )
    return ""


def _gpus(container: ContainerDefinition) -> str:
    for asked in container.resource_requirements or ():
        if asked.type == "GPU" and wrong_gpus(asked):
            return _invalid("resourceRequirements", container)
    return ""


def wrong_gpus(asked: ResourceRequirement) -> bool:
    """Whether a requirement of GPUs is no number above 0, nor ALL, nor a way to share one."""
    if asked.sharing_strategy is not None:
        return asked.value is not None
    value = asked.value or ""
    number = value.isascii() and value.isdecimal() and len(value) <= GPU_DIGITS_MAX
    return value != "ALL" and not (number and int(value) > 0)


def _system_controls(container: ContainerDefinition) -> str:
    for control in container.system_controls or ():
        if not control.namespace or control.value is None:
            return _invalid("systemControls", container)
    return ""


def _hosts(container: ContainerDefinition) -> str:
    for entry in container.extra_hosts or ():
        if not entry.hostname or not entry.ip_address:
            return _invalid("extraHosts", container)
    return ""


def _linux(container: ContainerDefinition) -> str:
    wrong = wrong_linux_parameters(container.linux_parameters)
    return f"Invalid '{wrong}' setting for container '{container.name}'." if wrong else ""


def _invalid(member: str, container: ContainerDefinition) -> str:
    return f"Invalid '{member}' setting for container '{container.name}'."


CONTAINER_CHECKS: tuple[Callable[[ContainerDefinition], str], ...] = (
    _name,
    _image,
    _sizes,
    _ports,
    _environment,
    _health,
    _restarts,
    _timeouts,
    _ulimits,
    _gpus,
    _system_controls,
    _hosts,
    _linux,
)
