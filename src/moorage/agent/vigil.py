"""Whether the container engine answers: said once when it is lost, once when it returns.

One that refuses connections is lost at once. One that takes them and says nothing hangs, or is
only slow: that is believed after PINGS_UNANSWERED_MAX pings in a row, so no later than
HANG_NOTICED_SECONDS after it began. It is back when it answers a ping and lists its containers.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from moorage.agent.engine.events import EngineLost, EngineReturned, EventsMissed
from moorage.agent.engine.labels import LABEL_HOST
from moorage.agent.runtime.breaker import Breaker
from moorage.agent.runtime.deadlines import PING_SECONDS
from moorage.agent.runtime.port import EngineUnavailable
from moorage.agent.runtime.pulse import Pulse
from moorage.ground.record import Record

PINGS_UNANSWERED_MAX = 2
PERIOD_SECONDS = 3.0
RETURN_PERIOD_SECONDS = 0.5
HANG_NOTICED_SECONDS = PERIOD_SECONDS + PINGS_UNANSWERED_MAX * PING_SECONDS
NO_ANSWER = "the container engine takes connections and does not answer"
log = logging.getLogger("moorage.agent")

Feed = Callable[[EngineLost | EngineReturned | EventsMissed], None]


class Rhythm(Record):
    """How often the engine is asked, how long an answer may take, how often while it is lost."""

    period_seconds: float = PERIOD_SECONDS
    answer_seconds: float = PING_SECONDS
    return_seconds: float = RETURN_PERIOD_SECONDS


class Vigil:
    """Asks the engine every so often, and when somebody doubts it; opens and closes the breaker."""

    def __init__(
        self,
        pulse: Pulse,
        feed: Feed,
        breaker: Breaker | None = None,
        rhythm: Rhythm | None = None,
    ) -> None:
        """Tell `feed` of each change; `pulse` is the engine itself, not what the breaker guards."""
        self._pulse = pulse
        self._feed = feed
        self._breaker = breaker or Breaker()
        self._rhythm = rhythm or Rhythm()
        self._woken = asyncio.Event()
        self._asking: asyncio.Task[bool] | None = None
        self._why = NO_ANSWER
        self.lost = False
        self.losses = 0

    async def answers(self) -> bool:
        """Whether the engine answers now; those who ask at once share one question."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())
        return await asyncio.shield(self._asking)

    def wake(self) -> None:
        """Ask now: something happened that an engine that goes does first."""
        self._woken.set()

    def doubt(self, reason: str) -> None:
        """Somebody met an engine that is away; it counts as lost until it answers."""
        if not self.lost:
            self.lost = True
            self.losses += 1
            log.warning("the container engine is lost: %s", reason)
            self._breaker.open(f"the engine is lost: {reason}")
            self._feed(EngineLost(reason=reason))
        self.wake()

    def mistrust_events(self) -> None:
        """Events were missed: everything has to be looked at again."""
        if not self.lost:
            self._feed(EventsMissed())

    async def step(self) -> None:
        """Ask once, tell of a change, and wait for the next time or until woken."""
        self._woken.clear()
        if await self.answers():
            if self.lost:
                self.lost = False
                log.info(
                    "the container engine answers again; calls given up so far: %d",
                    self._breaker.abandoned,
                )
                self._breaker.close()
                self._feed(EngineReturned())
        else:
            self.doubt(self._why)
        if self.lost:
            await asyncio.sleep(self._rhythm.return_seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._rhythm.period_seconds):
                await self._woken.wait()

    async def _ask(self) -> bool:
        """One verdict. Where this process cannot even ask, what was known stands."""
        self._why = NO_ANSWER
        for _ in range(PINGS_UNANSWERED_MAX):
            try:
                async with asyncio.timeout(self._rhythm.answer_seconds):
                    await self._pulse.ping()
                    if self.lost:
                        await self._pulse.roster({LABEL_HOST: ""})
            except TimeoutError:
                continue
            except EngineUnavailable as failure:
                if failure.exhausted:
                    log.warning("the engine cannot be asked: %s", failure.reason)
                    return not self.lost
                if failure.timed_out:
                    continue
                self._why = failure.reason
                return False
            else:
                return True
        return False
