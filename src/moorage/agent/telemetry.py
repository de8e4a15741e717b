"""The TCS websocket and what is read for it: metrics every 20 s, health and status when they come.

Nothing here matters to a running task: what cannot be sent is dropped after a short while, and a
connection that fails is made again, ever later (agent-protocol 7.5).
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable

import aiohttp

from moorage.acs.codec import Unreadable
from moorage.acs.telemetry import (
    Publication,
    PublishInstanceStatusRequest,
    decode_answer,
    encode_publication,
    publication_body,
)
from moorage.agent.dial import NotOpened, Opened
from moorage.agent.publishing import Reading, Sender, metrics, running
from moorage.agent.records.task import TaskRecord
from moorage.agent.runtime.port import ContainerRuntime, RuntimeFailure, Usage
from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.instant import Duration, Moment, in_seconds

METRICS_PERIOD_SECONDS = 20.0
# How the engine is, is said after a heartbeat, where it is no news: as seldom as Amazon's agent.
STATUS_PERIOD_SECONDS = 18.0
READINGS_AT_ONCE = 4
BUFFERED_MAX = 15  # publications kept while disconnected, as Amazon's agent
SILENCE_SECONDS = 60.0
SILENCE_JITTER_SECONDS = 60.0
BACK_OFF_SECONDS_FIRST = 1.0
BACK_OFF_SECONDS_MAX = 60.0
BACK_OFF_JITTER = 0.2
LASTING_SECONDS = 5.0
MESSAGE_ID_DIGITS = 32
log = logging.getLogger("moorage.agent")

Open = Callable[[], Awaitable[Opened]]
# The headers that sign a frame of this body, for the websocket at this URL.
Sign = Callable[[str, bytes], dict[str, str]]
_SPELLING = {"authorization": "Authorization", "host": "Host", "x-amz-date": "X-Amz-Date"}


class TcsLink:
    """One host's end of TCS, across its connections."""

    def __init__(self, open_socket: Open, sign: Sign, clock: Clock, chance: Chance) -> None:
        """Open connections by `open_socket`, sign each frame by `sign`."""
        self._open = open_socket
        self._sign = sign
        self._clock = clock
        self._chance = chance
        self._waiting: deque[Publication] = deque(maxlen=BUFFERED_MAX)
        self._status: PublishInstanceStatusRequest | None = None
        self._status_at = clock.monotonic()
        self._more = asyncio.Event()
        self._hurried = asyncio.Event()
        self._wait_seconds = BACK_OFF_SECONDS_FIRST

    def publish(self, message: Publication) -> None:
        """Send this when there is a connection; of what waits too long the oldest is dropped.

        How the host is, is never dropped: the newest word on it opens each connection.
        """
        if isinstance(message, PublishInstanceStatusRequest):
            now = self._clock.monotonic()
            told_seconds_ago = in_seconds(Duration(now - self._status_at))
            is_known = self._status is not None and _gist(self._status) == _gist(message)
            if is_known and told_seconds_ago < STATUS_PERIOD_SECONDS:
                return
            self._status, self._status_at = message, now
        self._waiting.append(message)
        self._more.set()

    async def step(self) -> None:
        """Make a connection, serve it to its end, and wait a while."""
        began = self._clock.monotonic()
        self._hurried.clear()
        try:
            opened = await self._open()
        except NotOpened as failure:
            log.debug("no telemetry: %s", failure)
        else:
            await self._serve(opened)
            self._hurried.clear()  # that the server was there before says nothing of now
        if self._lasted(began):
            self._wait_seconds = BACK_OFF_SECONDS_FIRST
        wait_seconds = self._wait_seconds * (1 + self._chance.uniform(0, BACK_OFF_JITTER))
        self._wait_seconds = min(2 * self._wait_seconds, BACK_OFF_SECONDS_MAX)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await self._hurried.wait()

    def hurry(self) -> None:
        """The server is there: whatever was waited for so far, it is worth trying now."""
        self._wait_seconds = BACK_OFF_SECONDS_FIRST
        self._hurried.set()

    def _lasted(self, began: Moment) -> bool:
        lasted = Duration(self._clock.monotonic() - began)
        return in_seconds(lasted) >= LASTING_SECONDS

    async def _serve(self, opened: Opened) -> None:
        """Publish and listen until the connection ends."""
        if self._status is not None and self._status not in self._waiting:
            self._waiting.appendleft(self._status)
        writer = asyncio.ensure_future(self._write(opened))
        silence_seconds = SILENCE_SECONDS + self._chance.uniform(0, SILENCE_JITTER_SECONDS)
        try:
            while not opened.socket.closed:
                async with asyncio.timeout(silence_seconds):
                    message = await opened.socket.receive()
                if message.type is aiohttp.WSMsgType.TEXT:
                    answer = decode_answer(message.data)
                    if isinstance(answer, Unreadable):
                        log.debug("telemetry: %s", answer)
        except TimeoutError:
            log.info("the telemetry connection is silent; it is made again")
        finally:
            writer.cancel()
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await opened.socket.close()

    async def _write(self, opened: Opened) -> None:
        while not opened.socket.closed:
            while self._waiting:
                message = self._waiting.popleft()
                signed = self._sign(opened.url, publication_body(message).encode())
                headers = {_SPELLING.get(name, name): value for name, value in signed.items()}
                try:
                    await opened.socket.send_str(encode_publication(message, headers))
                except (aiohttp.ClientError, OSError):
                    self._waiting.appendleft(message)
                    return
            self._more.clear()
            await self._more.wait()


def _gist(message: PublishInstanceStatusRequest) -> list[tuple[object, ...]]:
    """What it says, without the times at which it was said."""
    return [
        (one.type, one.status, one.status_reason, one.last_status_change)
        for one in message.statuses or ()
    ]


class Gauge:
    """Reads the counters of this host's containers and publishes them."""

    def __init__(
        self,
        runtime: ContainerRuntime,
        tasks: Callable[[], tuple[TaskRecord, ...]],
        sender: Sender,
        clock: Clock,
        chance: Chance,
    ) -> None:
        """Read the containers that run among `tasks`."""
        self._runtime = runtime
        self._tasks = tasks
        self._sender = sender
        self._clock = clock
        self._chance = chance
        self._last: dict[str, Usage] = {}
        self._turn = asyncio.Semaphore(READINGS_AT_ONCE)

    async def step(self, publish: Callable[[Publication], None]) -> None:
        """Publish one reading, and wait METRICS_PERIOD_SECONDS."""
        for message in await self.read():
            publish(message)
        await asyncio.sleep(METRICS_PERIOD_SECONDS)

    async def read(self) -> list[Publication]:
        """One reading of everything, against the reading before."""
        tasks = self._tasks()
        names = running(tasks)
        found = await asyncio.gather(*(self._usage(name) for name in names))
        now = {name: usage for name, usage in zip(names, found, strict=True) if usage is not None}
        if names and not now:
            return []  # the engine says nothing: neither figures, nor that the host is idle
        readings = {
            name: Reading(before=self._last[name], after=usage)
            for name, usage in now.items()
            if name in self._last and self._last[name].at < usage.at
        }
        self._last = now
        message_id = self._chance.hex(MESSAGE_ID_DIGITS)
        return list(metrics(tasks, readings, self._sender, message_id, self._clock.now()))

    async def _usage(self, container: str) -> Usage | None:
        async with self._turn:
            try:
                return await self._runtime.usage(container)
            except RuntimeFailure:
                return None
