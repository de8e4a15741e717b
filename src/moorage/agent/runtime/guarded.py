"""The ports on an engine once more, behind a breaker: what the rest of the agent is given.

Nothing here knows an engine; every call goes through its lane. Streams have no end that could be
waited for: events mend themselves, and who reads output enrols its task at the breaker.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from moorage.agent.runtime.breaker import Breaker
from moorage.agent.runtime.port import (
    Container,
    ContainerRuntime,
    ContainerSpec,
    Created,
    EngineFacts,
    EngineUnavailable,
    ImageFacts,
    ImageStore,
    Kind,
    LogChunk,
    LogRequest,
    Progress,
    PullRequest,
    RuntimeEvent,
    Usage,
    VolumeSpec,
)
from moorage.agent.runtime.pulse import Pulse, Row
from moorage.ground.instant import Duration, Instant, in_seconds


class WholeEngine(ContainerRuntime, ImageStore, Pulse, Protocol):
    """All that an adapter offers."""


class GuardedRuntime:
    """ContainerRuntime, ImageStore and Pulse of `engine`, through `breaker`."""

    def __init__(self, engine: WholeEngine, breaker: Breaker) -> None:
        """Guard `engine`, which is closed by whoever opened it."""
        self._engine = engine
        self.breaker = breaker

    async def ping(self) -> None:
        """Asked of the engine whatever the breaker says: by this it is found to be back."""
        await self._engine.ping()

    async def roster(self, labels: Mapping[str, str]) -> tuple[Row, ...]:
        """As the engine's."""
        return await self.breaker.call("roster", lambda: self._engine.roster(labels))

    async def describe(self) -> EngineFacts:
        """As the engine's."""
        return await self.breaker.call("describe", self._engine.describe)

    async def containers(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        """As the engine's."""
        return await self.breaker.call("look", lambda: self._engine.containers(labels))

    async def inspect(self, container: str) -> Container | None:
        """As the engine's."""
        return await self.breaker.call("inspect", lambda: self._engine.inspect(container))

    def watch(
        self, labels: Mapping[str, str], since: Instant | None = None
    ) -> AsyncIterator[RuntimeEvent]:
        """As the engine's: it goes on trying by itself."""
        return self._engine.watch(labels, since)

    async def create(self, spec: ContainerSpec | VolumeSpec) -> Created:
        """As the engine's."""
        return await self.breaker.call("create", lambda: self._engine.create(spec))

    async def start(self, container: str) -> None:
        """As the engine's."""
        await self.breaker.call("start", lambda: self._engine.start(container))

    async def stop(self, container: str, grace: Duration) -> None:
        """As the engine's; `grace` is added to the deadline."""
        await self.breaker.call(
            "stop", lambda: self._engine.stop(container, grace), in_seconds(grace)
        )

    async def remove(self, kind: Kind, name: str) -> None:
        """As the engine's."""
        await self.breaker.call("remove", lambda: self._engine.remove(kind, name))

    def logs(self, request: LogRequest) -> AsyncIterator[LogChunk]:
        """As the engine's; whoever reads it is enrolled at the breaker, or asks at once."""
        if self.breaker.reason is not None:
            raise EngineUnavailable(f"not asked, since {self.breaker.reason}")
        return self._engine.logs(request)

    async def usage(self, container: str) -> Usage | None:
        """As the engine's."""
        return await self.breaker.call("usage", lambda: self._engine.usage(container))

    async def image(self, reference: str) -> ImageFacts | None:
        """As the engine's."""
        return await self.breaker.call("image", lambda: self._engine.image(reference))

    async def images(self) -> tuple[ImageFacts, ...]:
        """As the engine's."""
        return await self.breaker.call("image", self._engine.images)

    async def pull(self, request: PullRequest, progress: Progress | None = None) -> ImageFacts:
        """As the engine's."""
        return await self.breaker.call("pull", lambda: self._engine.pull(request, progress))
