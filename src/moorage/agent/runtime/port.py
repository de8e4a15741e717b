"""Ports ContainerRuntime and ImageStore: what Moorage needs of a container engine.

Engine-neutral words, with one exception that is meant: a container is described by the body of
Docker's `POST /containers/create`, because that is the language in which the control plane
speaks (`dockerConfig` of the agent protocol). An adapter for another engine translates it.

Every failure is a RuntimeFailure of a named kind, so that the caller can turn it into the words
that ECS uses (CannotPullContainerError ...) without reading texts:

    RuntimeFailure
    ├─ EngineUnavailable    no answer, or none in time: nothing is known about what was asked
    ├─ CannotPull           the image could not be fetched; `transient` says if trying may help
    ├─ CannotCreate         the description was refused
    │  ├─ NameTaken         a container that is not ours has the name
    │  └─ ImageMissing      the image is not on this engine
    ├─ CannotStart          created, but did not start; `port_clash` if a port was in use
    ├─ CannotStop           still running after SIGKILL
    ├─ CannotRemove         still in use
    ├─ CannotRead           its log driver keeps nothing that can be read
    └─ NotThere             no such container
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from moorage.ground.instant import Duration, Instant
from moorage.ground.record import Record

Status = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
Health = Literal["none", "starting", "healthy", "unhealthy"]
Action = Literal[
    "create", "start", "die", "kill", "oom", "health_status", "destroy", "break", "gap"
]
Kind = Literal["container", "image", "volume"]
Stream = Literal["stdout", "stderr"]


class RuntimeFailure(Exception):  # noqa: N818 - a failure is what the engine answers
    """The engine did not do what it was asked; the text is the engine's own reason."""

    def __init__(self, reason: str) -> None:
        """Say why, in one line."""
        super().__init__(reason)
        self.reason = reason


class EngineUnavailable(RuntimeFailure):
    """The engine cannot be reached, is too old, or did not answer in time."""

    def __init__(self, reason: str, *, timed_out: bool = False, exhausted: bool = False) -> None:
        """Say why; `timed_out`: maybe only this call hangs; `exhausted`: this process could not ask."""
        super().__init__(reason)
        self.timed_out = timed_out
        self.exhausted = exhausted


class CannotPull(RuntimeFailure):
    """The image could not be fetched."""

    def __init__(self, reason: str, *, transient: bool = False) -> None:
        """Say why, and whether another try may succeed."""
        super().__init__(reason)
        self.transient = transient


class CannotCreate(RuntimeFailure):
    """The engine refuses the description of the container or volume."""


class NameTaken(CannotCreate):
    """A container or volume of that name exists and does not carry the wanted labels."""


class ImageMissing(CannotCreate):
    """The image that the description names is not on this engine."""


class CannotStart(RuntimeFailure):
    """The container exists and could not be started."""

    def __init__(self, reason: str, *, port_clash: bool = False) -> None:
        """Say why, and whether a host port was taken by someone else."""
        super().__init__(reason)
        self.port_clash = port_clash


class CannotStop(RuntimeFailure):
    """The container runs on."""


class CannotRemove(RuntimeFailure):
    """The thing is in use."""


class CannotRead(RuntimeFailure):
    """The output of the container is kept nowhere this engine could read it."""


class NotThere(RuntimeFailure):
    """No container of this id or name."""


class EngineFacts(Record):
    """What the engine says about itself and its machine; memory in bytes."""

    engine_id: str
    version: str
    api_version: str
    operating_system: str = ""
    os_type: str = "linux"
    architecture: str = "x86_64"
    kernel: str = ""
    cpus: int = 1
    memory_bytes: int = 0
    cgroup_version: Literal["1", "2"] = "2"
    cgroup_driver: str = "cgroupfs"
    storage_driver: str = ""
    log_drivers: tuple[str, ...] = ()
    volume_drivers: tuple[str, ...] = ()
    security_options: tuple[str, ...] = ()


class PortBinding(Record):
    """One published port of a running container."""

    container_port: int
    host_port: int
    protocol: str = "tcp"
    host_address: str = "0.0.0.0"  # noqa: S104 - what the engine reports, not what we bind


class HealthReport(Record):
    """The newest verdict of a container's own health check, and when that check ended."""

    status: Health = "none"
    checked_at: Instant | None = None
    output: str = ""


class Container(Record):
    """A container as the engine shows it now.

    `exit_code` is None until it has run and ended. `error` is the engine's text where it failed
    to start. `image` is the reference it was created with, `image_id` what that meant then.
    `unread`: the engine lists it and cannot show it; nothing but id, name and labels is known.
    """

    id: str
    name: str
    labels: dict[str, str]
    status: Status
    image: str = ""
    image_id: str = ""
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    pid: int = 0
    tty: bool = False
    restart_count: int = 0
    health: HealthReport = HealthReport()
    created_at: Instant | None = None
    started_at: Instant | None = None
    finished_at: Instant | None = None
    address: str = ""
    network_mode: str = ""
    ports: tuple[PortBinding, ...] = ()
    volumes: tuple[str, ...] = ()
    log_driver: str = ""
    unread: bool = False


class ContainerSpec(Record):
    """A container to be made: its name and the body of Docker's create call.

    `labels` are those by which a container of the same name is recognised as ours; they are also
    put on it. `body` holds Config at the top and HostConfig, NetworkingConfig inside, as Docker's.
    """

    name: str
    labels: dict[str, str]
    body: dict[str, Any]


class VolumeSpec(Record):
    """A volume to be made."""

    name: str
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    driver: str = "local"
    options: dict[str, str] = msgspec.field(default_factory=dict)


class Created(Record):
    """What `create` made or found; `twin` is the container that had the name already."""

    id: str
    twin: Container | None = None
    warnings: tuple[str, ...] = ()


class RuntimeEvent(Record):
    """Something that happened to a container, at the engine's own time.

    `break`: the stream of events ended, which an engine that goes does first. `gap`: the stream is
    there again after a break and some may be missing; look at everything again.
    `exit_code` comes with die, `signal` (a number) with kill, `health` with health_status.
    """

    action: Action
    at: Instant
    id: str = ""
    name: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    exit_code: int | None = None
    signal: int | None = None
    health: Health = "none"


class ImageFacts(Record):
    """An image on this engine: `id` is the engine's own; `digests` are `repository@digest`."""

    id: str
    references: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size_bytes: int = 0
    created_at: Instant | None = None
    architecture: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)


class PullRequest(Record):
    """An image to be fetched: from where, and under which name it is to be known.

    `reference` is what the engine is told to fetch. Where `name` (a reference too) is given, the
    image gets its tag, if it has one, and the alias of its digest (reference.py) in the repository
    of `name`, and loses the reference under which it came.
    """

    reference: str
    name: str = ""
    username: str = ""
    password: str = ""


class PullProgress(Record):
    """How far a pull has come, over all layers that have told their size."""

    done_bytes: int
    total_bytes: int


class LogRequest(Record):
    """Which output of a container is wanted: `tail` the last lines only, `follow` also new ones."""

    id: str
    follow: bool = False
    since: Instant | None = None
    until: Instant | None = None
    tail: int | None = None


class LogChunk(Record):
    """A piece of output as it was written, at most one line."""

    stream: Stream
    content: bytes
    at: Instant | None = None


class NetworkCounters(Record):
    """What went through a container's interfaces since it started."""

    rx_bytes: int = 0
    rx_packets: int = 0
    rx_dropped: int = 0
    rx_errors: int = 0
    tx_bytes: int = 0
    tx_packets: int = 0
    tx_dropped: int = 0
    tx_errors: int = 0


class Usage(Record):
    """One reading of a container's counters; `network` is None where it has no own interfaces."""

    at: Instant
    cpu: Duration = Duration(0)
    cpus: int = 1
    memory_bytes: int = 0
    memory_limit_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0
    network: NetworkCounters | None = None


Progress = Callable[[PullProgress], None]


class ContainerRuntime(Protocol):
    """Containers and volumes on one engine.

    Every call is bounded in time and raises EngineUnavailable when the bound is passed; then it
    is unknown whether it took effect, and calling again is safe.
    """

    async def describe(self) -> EngineFacts:
        """What this engine is; also the check that it answers."""
        ...

    async def containers(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        """All containers, in any state, that carry all of `labels`, with all that is known.

        One that the engine cannot show does not hide the others: it comes `unread`.
        """
        ...

    async def inspect(self, container: str) -> Container | None:
        """The container of this id or name, or None."""
        ...

    def watch(
        self, labels: Mapping[str, str], since: Instant | None = None
    ) -> AsyncIterator[RuntimeEvent]:
        """Events of the containers that carry `labels`, in order, each once, without end.

        Begins with what happened since `since`. A break is told once and mended from where it
        was; after it comes a `gap`. While the engine cannot be reached it keeps trying.
        """
        ...

    async def create(self, spec: ContainerSpec | VolumeSpec) -> Created:
        """Make a container or volume, or find the one that an earlier call made.

        Idempotent by name: where the name is taken by one that carries `spec.labels`, that one is
        the answer, with `twin` set. Raises CannotCreate, NameTaken, ImageMissing.
        """
        ...

    async def start(self, container: str) -> None:
        """Start a created or stopped container; nothing happens where it runs already.

        Raises CannotStart, NotThere.
        """
        ...

    async def stop(self, container: str, grace: Duration) -> None:
        """SIGTERM (or the image's own signal), after `grace` SIGKILL; returns when it has ended.

        Raises CannotStop, NotThere; nothing happens where it has ended already.
        """
        ...

    async def remove(self, kind: Kind, name: str) -> None:
        """Remove a container (running or not, with its anonymous volumes), an image, or a volume.

        An image's id stands for all its names; one name or digest for that name alone, and the
        last of them takes the image along. Nothing happens where the thing is gone already.
        Raises CannotRemove where it is in use.
        """
        ...

    def logs(self, request: LogRequest) -> AsyncIterator[LogChunk]:
        """The container's output in order, ending with the container or, without `follow`, now.

        Raises NotThere, CannotRead.
        """
        ...

    async def usage(self, container: str) -> Usage | None:
        """One reading of the counters of a running container; None where it does not run."""
        ...


class ImageStore(Protocol):
    """Images on one engine."""

    async def image(self, reference: str) -> ImageFacts | None:
        """The image that `reference` (name, name@digest or id) means on this engine, or None."""
        ...

    async def images(self) -> tuple[ImageFacts, ...]:
        """All images with a name or a digest."""
        ...

    async def pull(self, request: PullRequest, progress: Progress | None = None) -> ImageFacts:
        """Fetch an image and give it its names.

        Ends with CannotPull when the registry refuses, when nothing moves for a minute, or
        after two hours.
        """
        ...
