"""The ACS websocket: drives the pure session of `acs.session` with a socket, a timer and a clock."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

import aiohttp

from moorage.acs import agent_session as acs
from moorage.acs.codec import Refusal
from moorage.acs.messages import AgentMessage, ServerMessage
from moorage.acs.session import (
    CLOSE_REPLACED,
    CloseConnection,
    Deliver,
    Dropped,
    FrameReceived,
    SendFrame,
    Tick,
)
from moorage.agent.dial import NotOpened, Opened
from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.instant import Duration, Moment, in_seconds
from moorage.ground.record import Record

FACTS_MAX = 4096
OUTGOING_MAX = 1024
CUT = 1006
_TEXT = (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY)
REPLACED = (
    "Another agent with the identity of this host has taken its place: was this machine cloned, or "
    "its data folder copied? This one tries again later, and takes nothing back. To make it a host "
    "of its own, stop it, empty its data folder and join with a new token, under another name."
)
log = logging.getLogger("moorage.agent")

Open = Callable[[], Awaitable[Opened]]


class Hearer(Protocol):
    """Whom the link tells."""

    def opened(self, dialled_at: Moment) -> None:
        """There is a connection, whose dialling began then (on the clock of boot time)."""
        ...

    def closed(self) -> None:
        """There is none any more."""
        ...

    def refused(self, refusal: Refusal) -> None:
        """The server did not want this host, and said why."""
        ...

    def hear(self, message: ServerMessage) -> None:
        """The server said this."""
        ...


class _From(Record):
    """A fact, and the connection it concerns; 0 for none."""

    connection: int
    fact: acs.AgentFact


class AcsLink:
    """One host's end of ACS, across its connections."""

    def __init__(self, open_socket: Open, hearer: Hearer, clock: Clock, chance: Chance) -> None:
        """Open connections by `open_socket`, and tell `hearer` what comes."""
        self._open = open_socket
        self._hearer = hearer
        self._clock = clock
        self._chance = chance
        self._session = acs.AgentSession()
        self._facts: asyncio.Queue[_From] = asyncio.Queue(FACTS_MAX)
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(OUTGOING_MAX)
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._connection = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._session.connected

    def say(self, message: AgentMessage) -> None:
        """Say this if there is a connection; else it is forgotten, the server asks again."""
        if self.connected:
            self._take(acs.Said(message=message, now=self._clock.monotonic()))

    async def say_in_turn(self, message: AgentMessage) -> bool:
        """Say this when what was said before has left; False where there is no connection."""
        connection = self._connection
        if self._outgoing.qsize() >= OUTGOING_MAX // 2:
            await self._outgoing.join()
        if not self.connected or connection != self._connection:
            return False
        self.say(message)
        return True

    def begin(self) -> None:
        """Dial for the first time; to be followed by `step` after `step`."""
        self._take(Tick(now=self._clock.monotonic()))

    async def step(self) -> None:
        """Wait for the next fact, and do what follows from it."""
        held = await self._facts.get()
        if held.connection not in {0, self._connection}:
            return
        before = self.connected
        for instruction in self._session.handle(held.fact):
            self._perform(instruction)
        if before and not self.connected:
            self._hearer.closed()

    async def aclose(self) -> None:
        """End the connection politely, and all that serves it."""
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close(code=acs.CLOSE_GOING_AWAY)

    def _perform(self, instruction: acs.AgentInstruction) -> None:
        match instruction:
            case acs.Dial():
                self._spawn(self._dial(), "dial")
            case SendFrame():
                self._send(instruction.frame)
            case CloseConnection():
                self._drop(instruction.code)
            case Deliver():
                self._hearer.hear(instruction.message)  # type: ignore[arg-type]  # a server's
            case Dropped():
                log.warning("a frame was not understood: %s", instruction.unreadable)
            case acs.SetTimer():
                self._set_timer(instruction.at)

    async def _dial(self) -> None:
        dialled_at = self._clock.boottime()
        try:
            opened = await self._open()
        except NotOpened as failure:
            log.warning("no connection to the server: %s", failure)
            now, jitter = self._clock.monotonic(), self._chance.uniform(0, 1)
            self._take(
                acs.DialFailed(
                    now=now, refusal=failure.refusal, unreached=failure.unreached, jitter=jitter
                )
            )
            if failure.refusal is not None:
                self._hearer.refused(failure.refusal)
            return
        self._connection += 1
        self._socket = opened.socket
        self._outgoing = asyncio.Queue(OUTGOING_MAX)
        number = self._connection
        log.info("connected to the server")
        now, jitter = self._clock.monotonic(), self._chance.uniform(0, 1)
        self._take(acs.Opened(now=now, jitter=jitter), number)
        self._hearer.opened(dialled_at)
        self._spawn(self._read(opened.socket, number), "read")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, number: int) -> None:
        writer = asyncio.ensure_future(_write(socket, self._outgoing))
        try:
            async for message in socket:
                if message.type in _TEXT:
                    fact = FrameReceived(frame=message.data, now=self._clock.monotonic())
                    await self._facts.put(_From(connection=number, fact=fact))
        finally:
            writer.cancel()
        code = socket.close_code or CUT
        log.info("the connection to the server has ended (%s)", code)
        if code == CLOSE_REPLACED:
            log.error(REPLACED)
        now, jitter = self._clock.monotonic(), self._chance.uniform(0, 1)
        ended = acs.Closed(now=now, code=code, jitter=jitter)
        await self._facts.put(_From(connection=number, fact=ended))

    def _send(self, frame: str) -> None:
        try:
            self._outgoing.put_nowait(frame)
        except asyncio.QueueFull:
            log.warning("the server does not read; the connection is dropped")
            self._drop(acs.CLOSE_GOING_AWAY)

    def _drop(self, code: int) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            self._spawn(_close(socket, code), "close")

    def _take(self, fact: acs.AgentFact, connection: int = 0) -> None:
        try:
            self._facts.put_nowait(_From(connection=connection, fact=fact))
        except asyncio.QueueFull:
            log.warning("too much to say at once; a message was dropped")

    def _set_timer(self, at: Moment | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            wait_seconds = max(in_seconds(Duration(at - self._clock.monotonic())), 0.0)
            self._timer = asyncio.get_running_loop().call_later(wait_seconds, self._ring)

    def _ring(self) -> None:
        now, jitter = self._clock.monotonic(), self._chance.uniform(0, 1)
        self._take(Tick(now=now, jitter=jitter))

    def _spawn(self, work: Awaitable[None], name: str) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        task.set_name(f"acs {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _write(socket: aiohttp.ClientWebSocketResponse, outgoing: asyncio.Queue[str]) -> None:
    try:
        while not socket.closed:
            frame = await outgoing.get()
            try:
                await socket.send_str(frame)
            finally:
                outgoing.task_done()
    except (aiohttp.ClientError, OSError):
        return  # the reader meets the same end, and says so
    finally:
        while not outgoing.empty():  # whoever waits for its end waits no longer
            outgoing.get_nowait()
            outgoing.task_done()


async def _close(socket: aiohttp.ClientWebSocketResponse, code: int) -> None:
    await socket.close(code=code)
