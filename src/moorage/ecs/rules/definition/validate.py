"""Is this task definition sound? The first thing that is wrong with it, in AWS's words.

Sentences in AWS's words were found in users' reports; where none was found, ours says what to do.
Members that are of a wrong type, or no value of an enumeration, never come here.
"""

from collections.abc import Callable, Sequence

import msgspec

from moorage.ecs.rules.definition.container import CONTAINER_CHECKS
from moorage.ecs.rules.definition.dependency import wrong_dependencies
from moorage.ecs.rules.definition.fargate import wrong_for_fargate
from moorage.ecs.rules.definition.sizes import cpu_units, memory_mebibytes
from moorage.ecs.rules.definition.volume import wrong_volumes
from moorage.ecs.rules.placement.ports import port_range
from moorage.ecs.rules.placement.strategy import refuse_expression
from moorage.ecs.rules.refusal import Refusal
from moorage.ground.names import FAMILY
from moorage.shapes.ecs.container_definition import ContainerDefinition, PortMapping
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest

# ECS service quotas, "Task definition size" and "Containers per task definition".
DEFINITION_BYTES_MAX = 65_536
CONTAINERS_MAX = 10
CONSTRAINTS_MAX = 10
# RegisterTaskDefinition, `cpu`: "between 128 CPU units (0.125 vCPUs) and 196608 (192 vCPUs)".
TASK_CPU_MIN, TASK_CPU_MAX = 128, 196_608
TASK_MEMORY_MIN = 6
_SEE = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."


def refuse(request: RegisterTaskDefinitionRequest) -> Refusal | None:
    """Why RegisterTaskDefinition refuses this, or None where it registers."""
    for check in _CHECKS:
        message = check(request)
        if message:
            return Refusal(message=message)
    return None


def _family(request: RegisterTaskDefinitionRequest) -> str:
    if not request.family:
        return "Family should not be null or empty."
    return "" if FAMILY.fullmatch(request.family) else "Family contains invalid characters."


def _length(request: RegisterTaskDefinitionRequest) -> str:
    length = len(msgspec.json.encode(request))
    if length <= DEFINITION_BYTES_MAX:
        return ""
    return f"Actual length: '{length}'. Max allowed length is '{DEFINITION_BYTES_MAX}' bytes."


def _containers(request: RegisterTaskDefinitionRequest) -> str:
    containers = _of(request)
    if not containers:
        return "Container list cannot be empty."
    if len(containers) > CONTAINERS_MAX:
        return f"TaskDefinition has too many containers; the maximum is {CONTAINERS_MAX}."
    for container in containers:
        for check in CONTAINER_CHECKS:
            message = check(container)
            if message:
                return message
    return ""


def _names(request: RegisterTaskDefinitionRequest) -> str:
    names = [container.name or "" for container in _of(request)]
    twice = next((name for name in names if names.count(name) > 1), None)
    return f"Container names must be unique; '{twice}' is used more than once." if twice else ""


def _essential(request: RegisterTaskDefinitionRequest) -> str:
    if any(container.essential is not False for container in _of(request)):
        return ""
    return "TaskDefinition must have at least one essential container."


def _sizes(request: RegisterTaskDefinitionRequest) -> str:
    cpu = cpu_units(request.cpu) if request.cpu is not None else TASK_CPU_MIN
    if cpu is None or not TASK_CPU_MIN <= cpu <= TASK_CPU_MAX:
        return f"Invalid 'cpu' setting for task. {_SEE}"
    if request.memory is None:
        return ""
    memory = memory_mebibytes(request.memory)
    if memory is None or memory < TASK_MEMORY_MIN:
        return f"Invalid 'memory' setting for task. {_SEE}"
    return ""


def _container_sizes(request: RegisterTaskDefinitionRequest) -> str:
    for container in _of(request):
        if not (container.memory or container.memory_reservation or request.memory):
            return (
                f"Invalid setting for container '{container.name}'. "
                "At least one of 'memory' or 'memoryReservation' must be specified."
            )
    asked = sum(one.memory_reservation or one.memory or 0 for one in _of(request))
    whole = memory_mebibytes(request.memory) if request.memory else None
    if whole is not None and asked > whole:
        return "The memory of all containers must not be greater than the memory of the task."
    units = cpu_units(request.cpu) if request.cpu else None
    if units is not None and sum(one.cpu or 0 for one in _of(request)) > units:
        return "The cpu of all containers must not be greater than the cpu of the task."
    return ""


def _network(request: RegisterTaskDefinitionRequest) -> str:
    mode = request.network_mode or "bridge"
    for container in _of(request):
        mappings = container.port_mappings or ()
        if mode == "none" and mappings:
            return "Port mappings are not supported when networkMode=none."
        if mode in {"host", "awsvpc"} and any(map(_differs, mappings)):
            return (
                f"When networkMode={mode}, the host ports and container ports in port mappings "
                "must match."
            )
        if mode != "bridge" and container.links:
            return f"Links are not supported when networkMode={mode}."
    return ""


def _differs(mapping: PortMapping) -> bool:
    return bool(mapping.host_port) and mapping.host_port != mapping.container_port


def _same_port(request: RegisterTaskDefinitionRequest) -> str:
    """Two containers of a task that take the same port of a host could never run together."""
    seen: set[tuple[str, int]] = set()
    for container in _of(request):
        for mapping in container.port_mappings or ():
            for port in _taken(mapping, request.network_mode or "bridge"):
                key = (mapping.protocol or "tcp", port)
                if key in seen:
                    return f"Host port {port}/{key[0]} is used by more than one port mapping."
                seen.add(key)
    return ""


def _taken(mapping: PortMapping, mode: str) -> Sequence[int]:
    if mode in {"host", "awsvpc"}:
        if mapping.container_port_range:
            return port_range(mapping.container_port_range) or []
        return [mapping.container_port or 0]
    return [mapping.host_port] if mapping.host_port else []


def _system_controls(request: RegisterTaskDefinitionRequest) -> str:
    if request.network_mode != "host":
        return ""
    for container in _of(request):
        for control in container.system_controls or ():
            if (control.namespace or "").startswith("net."):
                return (
                    f"Container '{container.name}' sets {control.namespace}, which is the host's "
                    "own when networkMode=host."
                )
    return ""


def _volumes(request: RegisterTaskDefinitionRequest) -> str:
    return wrong_volumes(request.volumes or [], _of(request))


def _dependencies(request: RegisterTaskDefinitionRequest) -> str:
    return wrong_dependencies(_of(request))


def _constraints(request: RegisterTaskDefinitionRequest) -> str:
    constraints = request.placement_constraints or []
    if len(constraints) > CONSTRAINTS_MAX:
        return f"The maximum number of placement constraints is {CONSTRAINTS_MAX}."
    for constraint in constraints:
        if constraint.type != "memberOf":
            return f"Task definitions take no placement constraint of type {constraint.type}."
        refusal = refuse_expression(constraint.expression)
        if refusal:
            return refusal.message
    return ""


def _of(request: RegisterTaskDefinitionRequest) -> list[ContainerDefinition]:
    return request.container_definitions or []


_CHECKS: tuple[Callable[[RegisterTaskDefinitionRequest], str], ...] = (
    _family,
    _length,
    _containers,
    _names,
    _essential,
    _sizes,
    wrong_for_fargate,
    _container_sizes,
    _network,
    _same_port,
    _system_controls,
    _volumes,
    _dependencies,
    _constraints,
)
