"""Whether the container engine answers: said once when it is lost, once when it returns."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from moorage.agent.engine.events import EngineLost, EngineReturned, EventsMissed
from moorage.agent.runtime.port import ContainerRuntime, EngineUnavailable

PERIOD_SECONDS = 10.0
RETURN_PERIOD_SECONDS = 0.5
PING_SECONDS_MAX = 5.0
log = logging.getLogger("moorage.agent")

Feed = Callable[[EngineLost | EngineReturned | EventsMissed], None]


class Vigil:
    """Asks the engine every so often, and when somebody doubts it."""

    def __init__(self, runtime: ContainerRuntime, feed: Feed) -> None:
        """Tell `feed` of each change."""
        self._runtime = runtime
        self._feed = feed
        self._doubted = asyncio.Event()
        self.lost = False

    async def answers(self) -> bool:
        """Whether the engine answers now, within PING_SECONDS_MAX."""
        try:
            async with asyncio.timeout(PING_SECONDS_MAX):
                await self._runtime.describe()
        except (EngineUnavailable, TimeoutError):
            return False
        return True

    def doubt(self, reason: str) -> None:
        """Somebody met an engine that is away; it counts as lost until it answers."""
        if not self.lost:
            self.lost = True
            log.warning("the container engine is lost: %s", reason)
            self._feed(EngineLost(reason=reason))
        self._doubted.set()

    def mistrust_events(self) -> None:
        """Events were missed: everything has to be looked at again."""
        if not self.lost:
            self._feed(EventsMissed())

    async def step(self) -> None:
        """Ask once, tell of a change, and wait for the next time or for a doubt."""
        if await self.answers():
            if self.lost:
                self.lost = False
                log.info("the container engine answers again")
                self._feed(EngineReturned())
        else:
            self.doubt("the container engine does not answer")
        self._doubted.clear()
        if self.lost:
            await asyncio.sleep(RETURN_PERIOD_SECONDS)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PERIOD_SECONDS):
                await self._doubted.wait()
