"""What happens to this host's containers, unasked: the engine's events as the agent's.

An event of Docker says that something happened; what it was is taken from an inspection. An engine
that is on its way out goes on telling of the ends that it brings about itself, on the streams that
are open: so an end is believed only of an engine that takes a new connection after it. Any other
is found by the look after its return, and put down to it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable

from moorage.agent.engine.events import ContainerExited, HealthChanged
from moorage.agent.engine.labels import LABEL_CONTAINER, LABEL_HOST, LABEL_TASK_ARN
from moorage.agent.observed import exit_of, health_of, message_of
from moorage.agent.records.container import Exit
from moorage.agent.runtime.port import ContainerRuntime, EngineUnavailable, RuntimeEvent
from moorage.agent.vigil import Vigil
from moorage.ground.instant import Instant

Feed = Callable[[ContainerExited | HealthChanged], None]
ENDS_REMEMBERED_MAX = 1024
LEAVING = "a container ended, and the engine takes no more connections"
log = logging.getLogger("moorage.agent")


class Observer:
    """Watches the containers that carry this host's label."""

    def __init__(self, runtime: ContainerRuntime, vigil: Vigil, host: str, feed: Feed) -> None:
        """Tell `feed` of what happens; `host` is the value of the label."""
        self._runtime = runtime
        self._vigil = vigil
        self._host = host
        self._feed = feed
        self._heard: deque[str] = deque(maxlen=ENDS_REMEMBERED_MAX)
        self._position: Instant | None = None
        self._following: asyncio.Task[None] | None = None
        self._heed = {
            "die": self._ended,
            "health_status": self._changed_health,
        }

    async def run(self, since: Instant) -> None:
        """Watch from `since` on, until cancelled."""
        self._position = since
        cancelled = False
        while not cancelled:
            self._following = asyncio.ensure_future(self._follow())
            try:
                await asyncio.wait((self._following,))
            finally:
                self._following.cancel()
            if not self._following.cancelled():
                self._following.result()
                return

    def heard(self, runtime_id: str) -> bool:
        """Whether an event told of an end of this container, lately."""
        return runtime_id in self._heard

    def renew(self) -> None:
        """The stream is open and tells nothing: take another, from where it fell silent."""
        if self._following is not None and not self._following.done():
            log.warning("the engine's events fell silent; they are asked for again")
            self._following.cancel()

    async def _follow(self) -> None:
        stream: AsyncIterator[RuntimeEvent] = self._runtime.watch(
            {LABEL_HOST: self._host}, self._position
        )
        async for event in stream:
            if event.action == "break":
                self._vigil.wake()
            elif event.action == "gap":
                self._vigil.mistrust_events()
            else:
                self._position = max(event.at, self._position or event.at)
                await self._take(event)

    async def _take(self, event: RuntimeEvent) -> None:
        heed = self._heed.get(event.action)
        if heed is None or not event.labels.get(LABEL_TASK_ARN):
            return
        try:
            await heed(event)
        except EngineUnavailable as failure:
            if await self._vigil.answers():
                self._vigil.mistrust_events()
            else:
                # Its return is followed by a full look, which tells what is passed over here.
                self._vigil.doubt(failure.reason)

    async def _ended(self, event: RuntimeEvent) -> None:
        self._heard.append(event.id)
        if not await self._vigil.answers():
            self._vigil.doubt(LEAVING)
            return
        found = await self._runtime.inspect(event.id)
        if found is None:
            end = Exit(exit_code=event.exit_code, finished_at=event.at)
        else:
            seen = exit_of(found)
            if seen is None:
                return  # it runs again already; somebody else started it
            end = seen
        self._feed(
            ContainerExited(
                task_arn=event.labels[LABEL_TASK_ARN],
                container=event.labels.get(LABEL_CONTAINER, ""),
                runtime_id=event.id,
                exit=end,
            )
        )

    async def _changed_health(self, event: RuntimeEvent) -> None:
        found = await self._runtime.inspect(event.id)
        self._feed(
            HealthChanged(
                task_arn=event.labels[LABEL_TASK_ARN],
                container=event.labels.get(LABEL_CONTAINER, ""),
                runtime_id=event.id,
                health=health_of(event.health),
                since=event.at,
                message=None if found is None else message_of(found),
            )
        )
