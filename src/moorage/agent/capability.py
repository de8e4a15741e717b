"""What this host offers: the attributes and resources with which it registers. Pure.

Attribute names are those of Amazon's agent (RegisterContainerInstance as it was observed, and the
`requiresAttributes` that ECS computes), so that a scheduler which knows that agent knows this one;
only what is really done here is named. Memory: the machine's less what the machine itself needs.
"""

from urllib.parse import urlsplit

from moorage.acs.messages import CAPABILITY_OF_OUR_AGENT
from moorage.acs.task_messages import CAPABILITY_OF_FENCING
from moorage.agent.options import AgentOptions, OptionsRefused
from moorage.agent.runtime.port import EngineFacts
from moorage.shapes.ecs.attribute import Attribute
from moorage.shapes.ecs.container_instance import PlatformDevice, Resource

CPU_UNITS_PER_CORE = 1024
BYTES_PER_MEBIBYTE = 1 << 20
MEMORY_RESERVED_MEBIBYTES_MIN = 256
MEMORY_RESERVED_PERCENT = 5
# ssh, Docker, and what Amazon's agent listens on.
RESERVED_PORTS = (22, 2375, 2376, 51678, 51679, 51680)
_HTTP_PORTS = {"http": 80, "https": 443}

_API_ATTRIBUTE = "com.amazonaws.ecs.capability.docker-remote-api."
# Amazon's agent names no version 1.26, 1.27 or 1.31.
_API_VERSIONS = (17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 29, 30, 32)
_LOGGING_ATTRIBUTE = "com.amazonaws.ecs.capability.logging-driver."
_LOGGING_DRIVERS = ("json-file", "local", "syslog", "journald")
_ALWAYS = (
    "com.amazonaws.ecs.capability.privileged-container",
    "com.amazonaws.ecs.capability.ecr-auth",
    "com.amazonaws.ecs.capability.logging-driver.none",
    "ecs.capability.execution-role-ecr-pull",
    "ecs.capability.ecr-endpoint",
    "ecs.capability.container-ordering",
    "ecs.capability.container-health-check",
    "ecs.capability.container-restart-policy",
    "ecs.capability.full-sync",
    "ecs.capability.network.container-port-range",
    CAPABILITY_OF_OUR_AGENT,
    CAPABILITY_OF_FENCING,
)
_TASK_LIMITS = "ecs.capability.task-cpu-mem-limit"
# Hosts that share one engine cannot give a task the network of the host: nothing tells them apart.
_SHARED_ENGINE = "moorage.shared-engine"
_ARCHITECTURES = {"amd64": "x86_64", "aarch64": "arm64"}


def attributes(
    facts: EngineFacts, options: AgentOptions, *, task_limits: bool
) -> tuple[Attribute, ...]:
    """All attributes of this host: the operator's, what it can do, and what it is.

    `task_limits` says whether limits of whole tasks can be enforced here.
    """
    names = [*_ALWAYS]
    minor = int(facts.api_version.partition(".")[2] or 0)
    names += [f"{_API_ATTRIBUTE}1.{version}" for version in _API_VERSIONS if version <= minor]
    names += [f"{_LOGGING_ATTRIBUTE}{d}" for d in _LOGGING_DRIVERS if d in facts.log_drivers]
    names += [f"ecs.capability.docker-plugin.{driver}" for driver in facts.volume_drivers]
    names += [_TASK_LIMITS] if task_limits else []
    names += [_SHARED_ENGINE] if options.shared_engine else []
    valued = {
        "ecs.os-type": facts.os_type,
        "ecs.os-family": facts.os_type.upper(),
        "ecs.cpu-architecture": _ARCHITECTURES.get(facts.architecture, facts.architecture),
        "ecs.availability-zone": options.zone,
    }
    return (
        *(Attribute(name=name, value=value or None) for name, value in options.attributes),
        *(Attribute(name=name) for name in names),
        *(Attribute(name=name, value=value) for name, value in valued.items() if value),
    )


def cpu_units(facts: EngineFacts, options: AgentOptions) -> int:
    """The CPU units on offer; raises OptionsRefused for more than the machine has."""
    whole = facts.cpus * CPU_UNITS_PER_CORE
    return _share("--cpu", options.cpu, whole)


def memory_mebibytes(facts: EngineFacts, options: AgentOptions) -> int:
    """The memory on offer; raises OptionsRefused for more than the machine has to give."""
    whole = facts.memory_bytes // BYTES_PER_MEBIBYTE
    kept = max(MEMORY_RESERVED_MEBIBYTES_MIN, whole * MEMORY_RESERVED_PERCENT // 100)
    return _share("--memory", options.memory_mebibytes, max(whole - kept, 0))


def reserved_ports(options: AgentOptions) -> tuple[int, ...]:
    """TCP ports of the host that no task may have, the server's own among them."""
    parts = urlsplit(options.endpoint)
    server = parts.port or _HTTP_PORTS.get(parts.scheme, 0)
    return tuple(sorted({*RESERVED_PORTS, server} - {0}))


def total_resources(facts: EngineFacts, options: AgentOptions) -> tuple[Resource, ...]:
    """`totalResources` of RegisterContainerInstance: CPU units, MiB, and ports that are taken."""
    ports = [str(port) for port in reserved_ports(options)]
    memory = memory_mebibytes(facts, options)
    return (
        Resource(name="CPU", type="INTEGER", integer_value=cpu_units(facts, options)),
        Resource(name="MEMORY", type="INTEGER", integer_value=memory),
        Resource(name="PORTS", type="STRINGSET", string_set_value=ports),
        Resource(name="PORTS_UDP", type="STRINGSET", string_set_value=[]),
    )


def platform_devices(options: AgentOptions) -> tuple[PlatformDevice, ...]:
    """`platformDevices` of RegisterContainerInstance: the GPUs that the operator offers."""
    return tuple(PlatformDevice(id=gpu, type="GPU") for gpu in options.gpus)


def _share(flag: str, asked: int | None, whole: int) -> int:
    if asked is not None and asked > whole:
        raise OptionsRefused(f"{flag} {asked}: this machine has {whole} to offer.")
    return whole if asked is None else asked
