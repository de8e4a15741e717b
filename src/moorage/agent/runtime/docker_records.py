"""Docker Engine's JSON as the port's records: the only place that knows its spelling.

Members that newer engines no longer send (API 1.44 to 1.52 dropped several) all have defaults, and
Docker writes null for an empty list or map, so each may be None. Pure.
"""

import re
from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec

from moorage.agent.runtime.port import (
    Action,
    Container,
    EngineFacts,
    EngineUnavailable,
    Health,
    HealthReport,
    ImageFacts,
    NetworkCounters,
    PortBinding,
    RuntimeEvent,
    Status,
    Usage,
)
from moorage.agent.runtime.reference import named_digest
from moorage.ground.instant import Duration, Instant, from_epoch

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_NANOSECONDS_PER_MICROSECOND = 1000
_OUTPUT_LENGTH_MAX = 4096
_STATUSES = frozenset(("created", "running", "paused", "restarting", "removing", "exited", "dead"))
_HEALTHS = frozenset(("none", "starting", "healthy", "unhealthy"))
_ACTIONS = frozenset(("create", "start", "die", "kill", "oom", "destroy"))
_DANGLING = "<none>"
_T = TypeVar("_T")


class _Struct(msgspec.Struct, rename="pascal"):
    """What Docker sends, in its spelling."""


class _LogEntry(_Struct):
    end: str = ""
    output: str = ""


class _Health(_Struct):
    status: str = ""
    log: list[_LogEntry] | None = None


class _State(_Struct):
    status: str = ""
    exit_code: int = 0
    error: str = ""
    pid: int = 0
    started_at: str = ""
    finished_at: str = ""
    oom_killed: bool = msgspec.field(default=False, name="OOMKilled")
    health: _Health | None = None


class _Config(_Struct):
    image: str = ""
    tty: bool = False
    labels: dict[str, str] | None = None


class _LogConfig(_Struct):
    type: str = ""


class _HostConfig(_Struct):
    network_mode: str = ""
    log_config: _LogConfig | None = None


class _Port(_Struct):
    host_ip: str = ""
    host_port: str = ""


class _Network(_Struct):
    ip_address: str = msgspec.field(default="", name="IPAddress")


class _NetworkSettings(_Struct):
    ports: dict[str, list[_Port] | None] | None = None
    networks: dict[str, _Network | None] | None = None


class _Mount(_Struct):
    type: str = ""
    name: str = ""


class _Container(_Struct):
    id: str
    name: str = ""
    created: str = ""
    image: str = ""
    restart_count: int = 0
    state: _State = msgspec.field(default_factory=_State)
    config: _Config = msgspec.field(default_factory=_Config)
    host_config: _HostConfig = msgspec.field(default_factory=_HostConfig)
    network_settings: _NetworkSettings = msgspec.field(default_factory=_NetworkSettings)
    mounts: list[_Mount] | None = None


class _ImageConfig(_Struct):
    labels: dict[str, str] | None = None


class _Image(_Struct):
    id: str
    repo_tags: list[str] | None = None
    repo_digests: list[str] | None = None
    size: int = 0
    created: str | int | None = None
    architecture: str = ""
    config: _ImageConfig | None = None
    labels: dict[str, str] | None = None


class _Plugins(_Struct):
    log: list[str] | None = None
    volume: list[str] | None = None


class _Engine(_Struct):
    id: str = msgspec.field(default="", name="ID")
    server_version: str = ""
    operating_system: str = ""
    os_type: str = msgspec.field(default="linux", name="OSType")
    architecture: str = ""
    kernel_version: str = ""
    ncpu: int = msgspec.field(default=1, name="NCPU")
    mem_total: int = 0
    cgroup_version: str = "1"
    cgroup_driver: str = "cgroupfs"
    driver: str = ""
    plugins: _Plugins = msgspec.field(default_factory=_Plugins)
    security_options: list[str] | None = None


class _Actor(_Struct):
    id: str = msgspec.field(default="", name="ID")
    attributes: dict[str, str] | None = None


class _Event(_Struct):
    type: str = ""
    action: str = ""
    actor: _Actor = msgspec.field(default_factory=_Actor)
    time_nano: int = msgspec.field(default=0, name="timeNano")


class _CpuUsage(msgspec.Struct):
    total_usage: int = 0


class _Cpu(msgspec.Struct):
    cpu_usage: _CpuUsage = msgspec.field(default_factory=_CpuUsage)
    online_cpus: int = 1


class _Memory(msgspec.Struct):
    usage: int = 0
    limit: int = 0
    stats: dict[str, int] | None = None


class _BlockEntry(msgspec.Struct):
    op: str = ""
    value: int = 0


class _Block(msgspec.Struct):
    io_service_bytes_recursive: list[_BlockEntry] | None = None


class _Usage(msgspec.Struct):
    read: str = ""
    cpu_stats: _Cpu = msgspec.field(default_factory=_Cpu)
    memory_stats: _Memory = msgspec.field(default_factory=_Memory)
    blkio_stats: _Block = msgspec.field(default_factory=_Block)
    networks: dict[str, dict[str, Any]] | None = None


def decode(content: bytes, kind: type[_T]) -> _T:
    """What the engine sent; an engine that sends what it should not is one in trouble."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EngineUnavailable(f"the engine sent what cannot be read: {error}") from error


def instant_of(text: str) -> Instant | None:
    """The instant that RFC 3339 text names; None for Go's zero time, which means never."""
    match = _TIME.fullmatch(text)
    if match is None or text.startswith("0001-"):
        return None
    whole = msgspec.convert(f"{match[1]}{match[3]}", type=datetime)
    microseconds = int((match[2] or "0").ljust(9, "0")) // _NANOSECONDS_PER_MICROSECOND
    return Instant(from_epoch(whole.timestamp()) + microseconds)


def engine_facts(content: bytes, api_version: str) -> EngineFacts:
    """The answer of `GET /info`."""
    told = decode(content, _Engine)
    return EngineFacts(
        engine_id=told.id,
        version=told.server_version,
        api_version=api_version,
        operating_system=told.operating_system,
        os_type=told.os_type,
        architecture=told.architecture,
        kernel=told.kernel_version,
        cpus=told.ncpu,
        memory_bytes=told.mem_total,
        cgroup_version="2" if told.cgroup_version == "2" else "1",
        cgroup_driver=told.cgroup_driver,
        storage_driver=told.driver,
        log_drivers=tuple(sorted(told.plugins.log or ())),
        volume_drivers=tuple(sorted(told.plugins.volume or ())),
        security_options=tuple(told.security_options or ()),
    )


def status_of(told: str) -> Status:
    """The engine's word, or "dead" for one that is not known."""
    return cast("Status", told if told in _STATUSES else "dead")


def container(content: bytes) -> Container:
    """The answer of `GET /containers/ID/json`."""
    told = decode(content, _Container)
    state = told.state
    status = status_of(state.status)
    started_at = instant_of(state.started_at)
    ended = status in {"exited", "dead"} and started_at is not None
    networks = (told.network_settings.networks or {}).values()
    log_config = told.host_config.log_config
    return Container(
        id=told.id,
        name=told.name.removeprefix("/"),
        labels=told.config.labels or {},
        status=status,
        image=told.config.image,
        image_id=told.image,
        exit_code=state.exit_code if ended else None,
        oom_killed=state.oom_killed,
        error=state.error,
        pid=state.pid,
        tty=told.config.tty,
        restart_count=told.restart_count,
        health=_health(state.health),
        created_at=instant_of(told.created),
        started_at=started_at,
        finished_at=_finished_at(started_at, instant_of(state.finished_at)),
        address=next((n.ip_address for n in networks if n and n.ip_address), ""),
        network_mode=told.host_config.network_mode,
        ports=_ports(told.network_settings.ports or {}),
        volumes=tuple(m.name for m in told.mounts or () if m.type == "volume"),
        log_driver=log_config.type if log_config else "",
    )


def image(content: bytes) -> ImageFacts:
    """The answer of `GET /images/NAME/json`."""
    return _image_facts(decode(content, _Image))


def images(content: bytes) -> tuple[ImageFacts, ...]:
    """The answer of `GET /images/json`."""
    return tuple(_image_facts(told) for told in decode(content, list[_Image]))


def event(line: bytes) -> RuntimeEvent | None:
    """A line of `GET /events`; None where it is of no interest."""
    told = decode(line, _Event)
    attributes = told.actor.attributes or {}
    action, _, verdict = told.action.partition(": ")
    if told.type != "container" or action not in _ACTIONS | {"health_status"}:
        return None
    signal, exit_code = attributes.get("signal", ""), attributes.get("exitCode", "")
    return RuntimeEvent(
        action=cast("Action", action),
        at=Instant(told.time_nano // _NANOSECONDS_PER_MICROSECOND),
        id=told.actor.id,
        name=attributes.get("name", ""),
        labels={k: v for k, v in attributes.items() if k not in {"name", "image"}},
        exit_code=int(exit_code) if action == "die" and exit_code.isdigit() else None,
        signal=int(signal) if action == "kill" and signal.isdigit() else None,
        health=_verdict(verdict),
    )


def usage(content: bytes) -> Usage | None:
    """The answer of `GET /containers/ID/stats`; None where the container does not run."""
    if not content.strip():
        return None  # what the engine sends of a container that ends while it is being read
    told = decode(content, _Usage)
    at = instant_of(told.read)
    if at is None:
        return None
    memory = told.memory_stats
    # The page cache that the kernel would give back at once is not the container's use
    # (docker CLI, "calculateMemUsageUnixNoCache"): cgroup v1 and v2 name it differently.
    details = memory.stats or {}
    cache = details.get("total_inactive_file", details.get("inactive_file", 0))
    blocks = told.blkio_stats.io_service_bytes_recursive or ()
    return Usage(
        at=at,
        cpu=Duration(told.cpu_stats.cpu_usage.total_usage // _NANOSECONDS_PER_MICROSECOND),
        cpus=told.cpu_stats.online_cpus,
        memory_bytes=memory.usage - cache if cache < memory.usage else memory.usage,
        memory_limit_bytes=memory.limit,
        read_bytes=sum(b.value for b in blocks if b.op.lower() == "read"),
        written_bytes=sum(b.value for b in blocks if b.op.lower() == "write"),
        network=_counters(told.networks) if told.networks else None,
    )


def _counters(networks: dict[str, dict[str, Any]]) -> NetworkCounters:
    names = NetworkCounters.__struct_fields__
    sums = {name: sum(int(net.get(name, 0)) for net in networks.values()) for name in names}
    return NetworkCounters(**sums)


def _finished_at(started_at: Instant | None, finished_at: Instant | None) -> Instant | None:
    """When a run ended: not before it began.

    The engine takes the end from the process's exit and the beginning from when its own start
    call was done, so that the end of a very short run may read as the earlier.
    """
    if started_at is None or finished_at is None:
        return finished_at
    return Instant(max(started_at, finished_at))


def _health(told: _Health | None) -> HealthReport:
    if told is None:
        return HealthReport()
    newest = (told.log or [_LogEntry()])[-1]
    return HealthReport(
        status=_verdict(told.status),
        checked_at=instant_of(newest.end),
        output=newest.output[:_OUTPUT_LENGTH_MAX],
    )


def _verdict(text: str) -> Health:
    return cast("Health", text if text in _HEALTHS else "none")


def _ports(told: dict[str, list[_Port] | None]) -> tuple[PortBinding, ...]:
    bindings: list[PortBinding] = []
    for key, hosts in sorted(told.items()):
        port, _, protocol = key.partition("/")
        bindings += [
            PortBinding(
                container_port=int(port),
                host_port=int(host.host_port),
                protocol=protocol or "tcp",
                host_address=host.host_ip,
            )
            for host in hosts or ()
            if port.isdigit() and host.host_port.isdigit()
        ]
    return tuple(bindings)


def _image_facts(told: _Image) -> ImageFacts:
    references = tuple(n for n in told.repo_tags or () if not n.startswith(_DANGLING))
    digests = [n for n in told.repo_digests or () if not n.startswith(_DANGLING)]
    digests += [named for named in map(named_digest, references) if named]
    labels = told.labels or (told.config.labels if told.config else None)
    return ImageFacts(
        id=told.id,
        references=references,
        digests=tuple(dict.fromkeys(digests)),
        size_bytes=told.size,
        created_at=_created(told.created),
        architecture=told.architecture,
        labels=labels or {},
    )


def _created(told: str | int | None) -> Instant | None:
    return instant_of(told) if isinstance(told, str) else from_epoch(told) if told else None
