"""Docker Engine as ContainerRuntime and ImageStore, over its Unix socket.

Each method is one or two calls and the translation of their refusals; the client, the records,
the event stream, the output and the images have files of their own beside this one.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import msgspec

from moorage.agent.runtime import (
    docker_events,
    docker_images,
    docker_logs,
    docker_records,
    docker_roster,
)
from moorage.agent.runtime.deadlines import (
    CREATE_SECONDS,
    INSPECT_SECONDS,
    PING_SECONDS,
    REMOVE_SECONDS,
    ROSTER_SECONDS,
    START_SECONDS,
    STOP_SLACK_SECONDS,
)
from moorage.agent.runtime.docker_client import EngineClient, Refused
from moorage.agent.runtime.port import (
    CannotCreate,
    CannotRead,
    CannotRemove,
    CannotStart,
    CannotStop,
    Container,
    ContainerSpec,
    Created,
    EngineFacts,
    EngineUnavailable,
    ImageFacts,
    ImageMissing,
    Kind,
    LogChunk,
    LogRequest,
    NameTaken,
    NotThere,
    Progress,
    PullRequest,
    RuntimeEvent,
    Usage,
    VolumeSpec,
)
from moorage.agent.runtime.pulse import Row
from moorage.agent.runtime.reference import spellings
from moorage.ground.instant import Duration, Instant, in_seconds

INSPECTIONS_MAX = 16  # at once, in a full look
STOP_TIMEOUT_SECONDS_MAX = 86_400
TWIN_TRIES_MAX = 100  # of a create whose name is taken by what cannot be seen (yet)
TWIN_WAIT_SECONDS = 0.1
_PORT_CLASH = ("port is already allocated", "address already in use")


class _Made(msgspec.Struct, rename="pascal"):
    id: str
    warnings: list[str] | None = None


class _Volume(msgspec.Struct, rename="pascal"):
    name: str
    labels: dict[str, str] | None = None


class DockerRuntime:
    """One Docker Engine. Use as an asynchronous context manager, or close it with `aclose`."""

    def __init__(self, socket: str) -> None:
        """Use the engine that listens at the path `socket`; nothing is sent yet."""
        self.client = EngineClient(socket)
        self._inspections = asyncio.Semaphore(INSPECTIONS_MAX)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End all connections to the engine."""
        await self.client.aclose()

    async def describe(self) -> EngineFacts:
        """What this engine is."""
        try:
            answer = await self.client.call("GET", "/info")
        except Refused as refused:
            raise EngineUnavailable(refused.reason) from refused
        return docker_records.engine_facts(answer.content, await self.client.api_version())

    async def ping(self) -> None:
        """Whether the engine takes a new connection."""
        await self.client.ping(PING_SECONDS)

    async def roster(self, labels: Mapping[str, str]) -> tuple[Row, ...]:
        """All containers that carry `labels`, as a list shows them."""
        filters = {"label": [f"{name}={value}" for name, value in labels.items()]}
        query = {"all": "1", "filters": msgspec.json.encode(filters).decode()}
        try:
            answer = await self.client.call(
                "GET", "/containers/json", query, seconds=ROSTER_SECONDS
            )
        except Refused as refused:
            raise EngineUnavailable(refused.reason) from refused
        return docker_roster.rows(answer.content)

    async def containers(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        """All containers that carry `labels`; those that vanish meanwhile are left out."""
        rows = await self.roster(labels)
        found = await asyncio.gather(*(self._inspect_in_turn(row) for row in rows))
        seen = tuple(each for each in found if each is not None)
        if seen and all(each.unread for each in seen):
            await self.ping()  # none can be shown: is it there at all?
        return seen

    async def inspect(self, container: str) -> Container | None:
        """The container of this id or name."""
        try:
            answer = await self.client.call(
                "GET", f"/containers/{quote(container)}/json", seconds=INSPECT_SECONDS
            )
        except Refused as refused:
            if refused.status == 404:  # noqa: PLR2004
                return None
            raise EngineUnavailable(refused.reason) from refused
        return docker_records.container(answer.content)

    def watch(
        self, labels: Mapping[str, str], since: Instant | None = None
    ) -> AsyncIterator[RuntimeEvent]:
        """Events, mended after breaks."""
        return docker_events.watch(self.client, labels, since)

    async def create(self, spec: ContainerSpec | VolumeSpec) -> Created:
        """Make a container or volume, or adopt its twin."""
        if isinstance(spec, VolumeSpec):
            return await self._create_volume(spec)
        body = dict(spec.body)
        body["Labels"] = {**(body.get("Labels") or {}), **spec.labels}
        # The image may be here under the alias of its digest only (reference.py).
        names = spellings(str(body.get("Image", "")))
        for name in names[:-1]:
            try:
                return await self._create_container(spec, {**body, "Image": name})
            except ImageMissing:
                continue
        return await self._create_container(spec, {**body, "Image": names[-1]})

    async def start(self, container: str) -> None:
        """Start a container."""
        path = f"/containers/{quote(container)}/start"
        try:
            await self.client.call("POST", path, seconds=START_SECONDS)
        except Refused as refused:
            reason = refused.reason
            if refused.status == 404 and "no such container" in reason.lower():  # noqa: PLR2004
                raise NotThere(reason) from refused
            clash = any(text in reason for text in _PORT_CLASH)
            raise CannotStart(reason, port_clash=clash) from refused

    async def stop(self, container: str, grace: Duration) -> None:
        """SIGTERM, and after `grace` SIGKILL."""
        whole = min(max(round(in_seconds(grace)), 0), STOP_TIMEOUT_SECONDS_MAX)
        path = f"/containers/{quote(container)}/stop"
        bound_seconds = whole + STOP_SLACK_SECONDS
        try:
            await self.client.call("POST", path, {"t": str(whole)}, seconds=bound_seconds)
        except Refused as refused:
            if refused.status == 404:  # noqa: PLR2004
                raise NotThere(refused.reason) from refused
            raise CannotStop(refused.reason) from refused

    async def remove(self, kind: Kind, name: str) -> None:
        """Remove a container with its anonymous volumes, an image, or a volume."""
        if kind == "image":
            await docker_images.discard(self.client, name)
            return
        query = {"v": "1", "force": "1"} if kind == "container" else {}
        path = f"/{kind}s/{quote(name)}"
        try:
            await self.client.call("DELETE", path, query, seconds=REMOVE_SECONDS)
        except Refused as refused:
            under_way = refused.status == 409 and "already in progress" in refused.reason  # noqa: PLR2004
            if refused.status != 404 and not under_way:  # noqa: PLR2004
                raise CannotRemove(refused.reason) from refused

    async def logs(self, request: LogRequest) -> AsyncIterator[LogChunk]:
        """The container's output."""
        container = await self.inspect(request.id)
        if container is None:
            raise NotThere(f"no such container: {request.id}")
        path = f"/containers/{quote(container.id)}/logs"
        try:
            async with self.client.stream("GET", path, docker_logs.query(request)) as reader:
                cut = docker_logs.raw if container.tty else docker_logs.framed
                async for chunk in cut(reader):
                    yield chunk
        except Refused as refused:
            kind = NotThere if refused.status == 404 else CannotRead  # noqa: PLR2004
            raise kind(refused.reason) from refused

    async def usage(self, container: str) -> Usage | None:
        """One reading of a running container's counters."""
        path = f"/containers/{quote(container)}/stats"
        try:
            answer = await self.client.call("GET", path, {"stream": "0", "one-shot": "1"})
        except Refused as refused:
            if refused.status in {404, 409}:
                return None
            raise EngineUnavailable(refused.reason) from refused
        return docker_records.usage(answer.content)

    async def image(self, reference: str) -> ImageFacts | None:
        """The image that `reference` means on this engine."""
        return await docker_images.find(self.client, reference)

    async def images(self) -> tuple[ImageFacts, ...]:
        """All images with a name or a digest."""
        return await docker_images.all_named(self.client)

    async def pull(self, request: PullRequest, progress: Progress | None = None) -> ImageFacts:
        """Fetch an image and give it its names."""
        return await docker_images.pull(self.client, request, progress)

    async def _inspect_in_turn(self, row: Row) -> Container | None:
        try:
            async with self._inspections:
                return await self.inspect(row.id)
        except EngineUnavailable:
            return Container(
                id=row.id, name=row.name, labels=row.labels, status=row.status, unread=True
            )

    async def _create_container(self, spec: ContainerSpec, body: dict[str, Any]) -> Created:
        query = {"name": spec.name}
        refusal = ""
        for _ in range(TWIN_TRIES_MAX):
            try:
                answer = await self.client.call(
                    "POST", "/containers/create", query, body, CREATE_SECONDS
                )
            except Refused as refused:
                missing = refused.status == 404 and "no such image" in refused.reason.lower()  # noqa: PLR2004
                if refused.status != 409:  # noqa: PLR2004 - the name is in use
                    raise (ImageMissing if missing else CannotCreate)(refused.reason) from refused
                refusal = refused.reason
            else:
                made = docker_records.decode(answer.content, _Made)
                return Created(id=made.id, warnings=tuple(made.warnings or ()))
            twin = await self.inspect(spec.name)
            if twin is not None:
                return _adopted(spec, twin, refusal)
            # The engine gives a name away before the container can be seen, and takes it back
            # after the container is gone.
            await asyncio.sleep(TWIN_WAIT_SECONDS)
        raise CannotCreate(refusal)

    async def _create_volume(self, spec: VolumeSpec) -> Created:
        body = {
            "Name": spec.name,
            "Driver": spec.driver,
            "DriverOpts": spec.options,
            "Labels": spec.labels,
        }
        try:
            answer = await self.client.call("POST", "/volumes/create", None, body, CREATE_SECONDS)
        except Refused as refused:
            taken = refused.status == 409  # noqa: PLR2004
            raise (NameTaken if taken else CannotCreate)(refused.reason) from refused
        volume = docker_records.decode(answer.content, _Volume)
        if not spec.labels.items() <= (volume.labels or {}).items():
            raise NameTaken(f"a volume named {spec.name} exists and is not ours")
        return Created(id=volume.name)


def _adopted(spec: ContainerSpec, twin: Container, reason: str) -> Created:
    if not spec.labels.items() <= twin.labels.items():
        raise NameTaken(reason)
    return Created(id=twin.id, twin=twin)
