"""The port on the virtual engine: what tests and the simulator use in Docker's place.

A peer of `docker.py`, run through the same contract suite. Besides the port it offers what a test
wants to do to an engine: take it down, let single calls fail or hang, end a container.
"""

import asyncio
import functools
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Mapping

from moorage.agent.runtime.memory_engine import MemoryEngine
from moorage.agent.runtime.port import (
    CannotPull,
    CannotRead,
    CannotStop,
    Container,
    ContainerSpec,
    Created,
    EngineFacts,
    EngineUnavailable,
    ImageFacts,
    Kind,
    LogChunk,
    LogRequest,
    NetworkCounters,
    NotThere,
    Progress,
    PullProgress,
    PullRequest,
    RuntimeEvent,
    RuntimeFailure,
    Usage,
    VolumeSpec,
)
from moorage.agent.runtime.pulse import Row
from moorage.agent.runtime.reference import local_names, named_digest, parse_reference
from moorage.ground.clock import Clock
from moorage.ground.instant import Duration, Instant, in_seconds
from moorage.ground.record import evolve

STOP_WAIT_SECONDS_MAX = 3600.0
UNREADABLE_DRIVERS = frozenset(("none",))


class MemoryRuntime:
    """ContainerRuntime and ImageStore over a MemoryEngine; `registry` is what can be pulled."""

    def __init__(self, engine: MemoryEngine, clock: Clock) -> None:
        """Serve `engine`; time is `clock`'s. With a clock set by hand, call `settle` after it."""
        self.engine = engine
        self.registry: dict[str, ImageFacts] = {}
        self.pulled: list[PullRequest] = []
        self.calls: Counter[str] = Counter()
        self.up = True
        self._silences = 0
        self._clock = clock
        self._changed = asyncio.Condition()
        self._failures: defaultdict[str, deque[RuntimeFailure]] = defaultdict(deque)
        self._hanging: dict[str, asyncio.Event] = {}
        self._closed = False
        self._alarm: asyncio.TimerHandle | None = None
        self._settling: set[asyncio.Task[None]] = set()

    # --- what a test does to the engine ---

    def fail(self, method: str, failure: RuntimeFailure) -> None:
        """Let the next call of `method` fail so; repeated calls queue up."""
        self._failures[method].append(failure)

    def hang(self, method: str) -> None:
        """Let calls of `method` wait until `release`; then they find the engine unavailable."""
        self._hanging[method] = asyncio.Event()

    def let_pass(self, method: str) -> None:
        """Let new calls of `method` through; those that hang go on hanging."""
        del self._hanging[method]

    def release(self, method: str) -> None:
        """End what `hang` began."""
        self._hanging.pop(method).set()

    def fall_silent(self) -> None:
        """Let every stream of events that is open tell nothing more, and never end."""
        self._silences += 1

    async def take_down(self, *, containers_end: bool = True) -> None:
        """Stop the engine; its containers end with it, as without live-restore, or run on."""
        self.up = False
        if containers_end:
            for container in list(self.engine.containers):
                self.engine.exit(container, 137, self._clock.now())
        await self.settle()

    async def bring_up(self) -> None:
        """Start the engine again; watchers get a gap."""
        self.up = True
        self.engine.restart(self._clock.now())
        await self.settle()

    async def exit(self, container: str, code: int) -> None:
        """End a container's process from within."""
        self.engine.exit(container, code, self._clock.now())
        await self.settle()

    async def settle(self) -> None:
        """Let happen what the clock says is due, and wake all that wait."""
        self.engine.advance(self._clock.now())
        async with self._changed:
            self._changed.notify_all()
        self._set_alarm()

    async def aclose(self) -> None:
        """End the watchers and the timer."""
        self._closed = True
        async with self._changed:
            self._changed.notify_all()
        if self._alarm is not None:
            self._alarm.cancel()

    # --- the port ---

    async def describe(self) -> EngineFacts:
        """What this engine is."""
        await self._enter("describe")
        return self.engine.facts

    async def ping(self) -> None:
        """Whether the engine is there."""
        await self._enter("ping")

    async def roster(self, labels: Mapping[str, str]) -> tuple[Row, ...]:
        """All containers that carry `labels`, as a list shows them."""
        await self._enter("roster")
        return tuple(
            Row(id=each.id, name=each.name, status=each.status, labels=each.labels)
            for each in self.engine.containers.values()
            if labels.items() <= each.labels.items()
        )

    async def containers(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        """All containers that carry `labels`."""
        await self._enter("containers")
        found = self.engine.containers.values()
        wanted = [each for each in found if labels.items() <= each.labels.items()]
        return tuple(
            evolve(each, unread=True) if each.id in self.engine.unreadable else each
            for each in wanted
        )

    async def inspect(self, container: str) -> Container | None:
        """The container of this id or name."""
        await self._enter("inspect")
        found = self.engine.find(container)
        if found is not None and found.id in self.engine.unreadable:
            raise EngineUnavailable("the engine cannot show this container")
        return found

    async def watch(
        self, labels: Mapping[str, str], since: Instant | None = None
    ) -> AsyncIterator[RuntimeEvent]:
        """Events, with a gap after each time the engine was down."""
        begin = self._clock.now() if since is None else since
        position = max((n for n, e in self.engine.history if e.at < begin), default=0)

        silences = self._silences

        def news() -> list[tuple[int, RuntimeEvent]]:
            heard = self.up and self._silences == silences
            return [each for each in self.engine.history if each[0] > position] if heard else []

        def stirred(was_there: bool) -> bool:  # noqa: FBT001 - a state, not a switch
            return bool(news()) or self._closed or was_there != self.up

        there = True
        while not self._closed:
            if there and not self.up:
                yield RuntimeEvent(action="break", at=self._clock.now())
            there = self.up
            for number, event in news():
                position = number
                if event.action == "gap" or labels.items() <= event.labels.items():
                    yield event
            async with self._changed:
                await self._changed.wait_for(functools.partial(stirred, there))

    async def create(self, spec: ContainerSpec | VolumeSpec) -> Created:
        """Make a container or volume, or adopt its twin."""
        await self._enter("create")
        if isinstance(spec, VolumeSpec):
            return self.engine.create_volume(spec)
        created = self.engine.create(spec, self._clock.now())
        await self.settle()
        return created

    async def start(self, container: str) -> None:
        """Start a container."""
        await self._enter("start")
        self.engine.start(container, self._clock.now())
        await self.settle()

    async def stop(self, container: str, grace: Duration) -> None:
        """SIGTERM, and after `grace` SIGKILL."""
        await self._enter("stop")
        self.engine.terminate(container, grace, self._clock.now())
        await self.settle()
        if self.engine.is_undying(container):
            # As Docker Engine says it, ten seconds after a SIGKILL that did not help.
            raise CannotStop("tried to kill container, but did not receive an exit event")
        async with asyncio.timeout(STOP_WAIT_SECONDS_MAX), self._changed:
            await self._changed.wait_for(lambda: not self._runs(container))

    async def remove(self, kind: Kind, name: str) -> None:
        """Remove a container, an image or a volume."""
        await self._enter("remove")
        if kind == "container":
            self.engine.remove_container(name, self._clock.now())
        elif kind == "image":
            self.engine.remove_image(name)
        else:
            self.engine.remove_volume(name)
        await self.settle()

    async def logs(self, request: LogRequest) -> AsyncIterator[LogChunk]:
        """The container's output."""
        await self._enter("logs")
        found = self.engine.find(request.id)
        if found is None:
            raise NotThere(f"No such container: {request.id}")
        if found.log_driver in UNREADABLE_DRIVERS:
            raise CannotRead("configured logging driver does not support reading")
        low, high = request.since or Instant(0), request.until
        lines = self.engine.output[found.id]
        wanted = [c for c in lines if c.at is None or c.at >= low]
        wanted = [c for c in wanted if c.at is None or high is None or c.at <= high]
        shown = len(lines)
        for chunk in wanted if request.tail is None else wanted[-request.tail or len(wanted) :]:
            yield chunk
        while request.follow and (self._runs(found.id) or len(lines) > shown):
            for chunk in lines[shown:]:
                shown += 1
                yield chunk
            async with self._changed:
                if self._runs(found.id):
                    await self._changed.wait()

    async def usage(self, container: str) -> Usage | None:
        """Counters of a running container: all at rest."""
        await self._enter("usage")
        if not self._runs(container):
            return None
        return Usage(at=self._clock.now(), memory_bytes=1 << 20, network=NetworkCounters())

    async def image(self, reference: str) -> ImageFacts | None:
        """The image that `reference` means on this engine."""
        await self._enter("image")
        return self.engine.find_image(reference)

    async def images(self) -> tuple[ImageFacts, ...]:
        """All images with a name or a digest."""
        await self._enter("images")
        return tuple(self.engine.images.values())

    async def pull(self, request: PullRequest, progress: Progress | None = None) -> ImageFacts:
        """Take an image out of `registry`."""
        self.pulled.append(request)
        await self._enter("pull")
        if parse_reference(request.reference) is None:
            raise CannotPull(f"invalid reference format: {request.reference}")
        found = self.registry.get(request.reference)
        if found is None:
            raise CannotPull(f"manifest for {request.reference} not found: manifest unknown")
        if progress is not None:
            progress(PullProgress(done_bytes=found.size_bytes, total_bytes=found.size_bytes))
        if request.name:
            _, _, digest = next(iter(found.digests), "").partition("@")
            names = local_names(request.name, digest)
            digests = tuple(named for named in map(named_digest, names) if named)
            found = evolve(found, references=names, digests=digests)
        self.engine.add_image(found)
        return self.engine.images[found.id]

    def _runs(self, container: str) -> bool:
        found = self.engine.find(container)
        return found is not None and found.status == "running"

    async def _enter(self, method: str) -> None:
        """What each call begins with: the engine's mishaps, then whatever is due."""
        self.calls[method] += 1
        hanging = self._hanging.get(method)
        if hanging is not None:
            await hanging.wait()
            raise EngineUnavailable("the engine did not answer in time")
        if not self.up:
            raise EngineUnavailable("the engine is down")
        if self._failures[method]:
            raise self._failures[method].popleft()
        self.engine.advance(self._clock.now())

    def _set_alarm(self) -> None:
        """Come back when the next thing is due, where the clock is the machine's."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due = self.engine.due()
        if due is None:
            return
        wait_seconds = max(0.0, in_seconds(Duration(due - self._clock.now())))
        self._alarm = asyncio.get_running_loop().call_later(wait_seconds, self._ring)

    def _ring(self) -> None:
        task = asyncio.ensure_future(self.settle())
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
