"""One host's link: its session machine, fed with facts in order, its instructions performed.

Facts wait in one bounded queue and are taken in by one task, so that nothing interleaves; each
carries the moment at which it came, so that a slow database makes no host look silent.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from moorage.acs import session
from moorage.acs.messages import (
    HeartbeatAckRequest,
    LogsCancel,
    LogsChunk,
    LogsRequest,
    PayloadMessage,
    TaskManifestMessage,
)
from moorage.acs.telemetry import PublishMetricsRequest
from moorage.ecs.agents import AgentTable
from moorage.ecs.controllers.assignments import Outgoing
from moorage.ecs.operations.session import Hello
from moorage.ecs.records.container_instance import ContainerInstance, Disconnection
from moorage.ecs.store import container_instances
from moorage.gateway.aws import Ground
from moorage.gateway.exchange import Send
from moorage.ground.fault import Fault
from moorage.ground.instant import Duration, Instant, between, in_seconds, seconds
from moorage.ground.principal import Principal
from moorage.kernel.call import Call
from moorage.sql.transaction import Transaction

_T = TypeVar("_T")
FACTS_MAX = 4096
LOG_CHUNKS_MAX = 256
LOG_STREAMS_MAX = 32
LOG_SILENCE_SECONDS = 30.0
# After a server's start no host is lost before it has had time to come back.
RETURN_GRACE = seconds(60)
OUTBOX_RETRY_SECONDS = 0.5
# An agent that is closed so comes back at once, and learns in the handshake that it is INACTIVE.
CLOSE_DEREGISTERED = 1000
# Signs of life and metrics touch memory only: no row is read or written for them.
UNWRITTEN = (HeartbeatAckRequest, PublishMetricsRequest)
_log = logging.getLogger("moorage.agents")


class HostAway(Exception):  # noqa: N818 - shown to people as it is
    """The host is not connected, or went away."""


class Socket:
    """The server's end of one websocket."""

    def __init__(self, send: Send) -> None:
        """Take ASGI's send."""
        self._send = send
        self._open = True

    async def frame(self, text: str) -> None:
        """Write one text frame; a socket that is gone swallows it, as the network would."""
        if self._open:
            try:
                await self._send({"type": "websocket.send", "text": text})
            except (OSError, RuntimeError):
                self._open = False

    async def close(self, code: int) -> None:
        """Close with a code."""
        if self._open:
            self._open = False
            try:
                await self._send({"type": "websocket.close", "code": code})
            except (OSError, RuntimeError):
                return

    def gone(self) -> None:
        """The peer went away."""
        self._open = False


class Link:
    """One instance, across its connections."""

    def __init__(self, ground: Ground, table: AgentTable, instance: ContainerInstance) -> None:
        """Begin without a connection."""
        self._ground = ground
        self._table = table
        self._arn = instance.arn
        self._account = instance.account
        self._region = instance.region
        self._session = session.ServerSession(ground.clock.monotonic())
        self._sockets: dict[int, Socket] = {}
        self._hellos: dict[int, Hello] = {}
        self._next = 0
        self._facts: asyncio.Queue[session.ServerFact | None] = asyncio.Queue(FACTS_MAX)
        self._streams: dict[str, asyncio.Queue[LogsChunk]] = {}
        self._woken = False
        self._timer: asyncio.TimerHandle | None = None
        self._goodbye: Disconnection = "closed"
        self._task = asyncio.create_task(self._work())

    @property
    def is_connected(self) -> bool:
        """Whether the agent is here."""
        return self._session.connection is not None

    def expect(self) -> None:
        """Give a host that an earlier server knew its time to come back."""
        self._session.silence = Duration(-RETURN_GRACE)
        self._facts.put_nowait(None)

    def connected(self, socket: Socket, members: dict[str, str], heartbeat_id: str) -> int:
        """A handshake was accepted; answers the connection's number."""
        self._next += 1
        self._sockets[self._next] = socket
        self._hellos[self._next] = Hello(
            agent_version=members.get("agentVersion", ""),
            agent_hash=members.get("agentHash", ""),
            docker_version=members.get("dockerVersion", "").removeprefix("DockerVersion: "),
        )
        now = self._ground.clock.monotonic()
        self.put(session.Connected(connection=self._next, now=now, heartbeat_id=heartbeat_id))
        return self._next

    async def received(self, connection: int, frame: str | bytes) -> None:
        """A frame came; waits while the queue is full, and so does the agent."""
        now = self._ground.clock.monotonic()
        await self._facts.put(session.FrameReceived(frame=frame, now=now, connection=connection))

    def disconnected(self, connection: int, how: Disconnection) -> None:
        """A connection is gone: the agent said goodbye, or it was closed without a word."""
        self._sockets.pop(connection, None)
        self._goodbye = how
        now = self._ground.clock.monotonic()
        self.put(session.Disconnected(connection=connection, now=now))

    def put(self, fact: session.ServerFact) -> None:
        """Queue a fact; a tick that finds the queue full is left out, the next one will do."""
        if self._facts.full() and isinstance(fact, session.Tick):
            return
        self._facts.put_nowait(fact)

    def wake(self) -> None:
        """Something about this instance changed: look again what it should hold."""
        if not self._woken and self.is_connected:
            self._woken = True
            self._ask_outbox()

    async def publish(self, message: Any) -> None:
        """Run the handler of a publication."""
        await self._deliver(message)

    async def close(self, code: int) -> None:
        """Close the websockets and end the task."""
        for socket in list(self._sockets.values()):
            await socket.close(code)
        self._task.cancel()
        if self._timer is not None:
            self._timer.cancel()

    async def logs(self, request_id: str, wanted: Any) -> AsyncGenerator[LogsChunk, None]:
        """Ask the agent for output, and give its pieces as they come."""
        if len(self._streams) >= LOG_STREAMS_MAX:
            raise HostAway(f"The host sends {LOG_STREAMS_MAX} outputs already; end one of them.")
        queue: asyncio.Queue[LogsChunk] = asyncio.Queue(LOG_CHUNKS_MAX)
        self._streams[request_id] = queue
        request = LogsRequest(
            request_id=request_id,
            task_arn=wanted.task,
            container_name=wanted.container,
            follow=wanted.follow,
            tail_lines=wanted.tail_lines,
        )
        self._offer(request)
        try:
            while True:
                patience = None if wanted.follow else LOG_SILENCE_SECONDS
                chunk = await asyncio.wait_for(queue.get(), patience)
                yield chunk
                if chunk.end:
                    return
        except TimeoutError:
            yield LogsChunk(request_id=request_id, error="the host does not answer", end=True)
        finally:
            del self._streams[request_id]
            self._offer(LogsCancel(request_id=request_id))

    def _offer(self, message: Any) -> None:
        self.put(session.MessageOffered(message=message, now=self._ground.clock.monotonic()))

    async def _work(self) -> None:
        while True:
            fact = await self._facts.get()
            if fact is None:
                await self._run(lambda call: self._table.disconnected(call, self._arn, "closed"))
                continue
            for instruction in self._session.handle(fact):
                try:
                    await self._perform(instruction)
                except Fault as fault:
                    _log.warning("%s of %s: %s", type(instruction).__name__, self._arn, fault)
                except Exception:  # noqa: BLE001 - the gateway's edge: one host's trouble is its own
                    _log.exception("%s of %s failed", type(instruction).__name__, self._arn)

    async def _perform(self, instruction: session.ServerInstruction) -> None:
        match instruction:
            case session.SendFrame(frame=frame, connection=connection):
                if connection in self._sockets:
                    await self._sockets[connection].frame(frame)
            case session.CloseConnection(code=code, connection=connection):
                if connection in self._sockets:
                    await self._sockets[connection].close(code)
            case session.Deliver(message=message):
                await self._deliver(message)
            case session.Dropped(unreadable=unreadable):
                _log.warning("a frame of %s was not understood: %s", self._arn, unreadable.reason)
            case session.WantManifest():
                await self._outbox(on_connect=True)
            case _:
                await self._declare(instruction)

    async def _declare(self, instruction: session.ServerInstruction) -> None:
        table, arn = self._table, self._arn
        match instruction:
            case session.DeclareConnected():
                hello = self._hellos[self._session.connection or self._next]
                await self._run(lambda call: table.connected(call, arn, hello))
            case session.DeclareDisconnected():
                await self._run(lambda call: table.disconnected(call, arn, self._goodbye))
            case session.DeclareSuspect():
                _log.warning("nothing was heard of %s for a while", arn)
            case session.DeclareLost():
                _log.warning("%s is taken for lost", arn)
                await self._run(lambda call: table.lost(call, arn))
            case session.DeclareHeard():
                await self._run(lambda call: table.returned(call, arn))
            case _:
                raise AssertionError(f"no such declaration: {instruction}")

    async def _deliver(self, message: Any) -> None:
        if isinstance(message, LogsChunk):
            queue = self._streams.get(message.request_id)
            if queue is not None:
                await queue.put(message)
            return
        handler = (
            None if isinstance(message, UNWRITTEN) else self._table.messages.get(type(message))
        )
        if handler is None:
            return
        for reply in await self._run(lambda call: handler(call, self._arn, message)):
            self._offer(reply)

    def _ask_outbox(self) -> None:
        asyncio.create_task(self._outbox(on_connect=False)).add_done_callback(_shown)

    async def _outbox(self, *, on_connect: bool) -> None:
        self._woken = False
        try:
            found = await self._run(lambda call: self._due(call, on_connect=on_connect))
        except Fault as fault:
            _log.warning("what %s should hold is not known now: %s", self._arn, fault.message)
            asyncio.get_running_loop().call_later(OUTBOX_RETRY_SECONDS, self.wake)
            return
        if found is None:
            await self._farewell()
            return
        self._look_again(found.look_again)
        payloads = tuple(one for one in found.messages if isinstance(one, PayloadMessage))
        now = self._ground.clock.monotonic()
        manifests = [one for one in found.messages if isinstance(one, TaskManifestMessage)]
        if manifests:
            self.put(session.ManifestOffered(manifest=manifests[0], payloads=payloads, now=now))
        else:
            self.put(session.OutboxChanged(payloads=payloads, now=now))
        for message in found.messages:
            if not isinstance(message, PayloadMessage | TaskManifestMessage):
                self._offer(message)

    def _due(self, call: Call, *, on_connect: bool) -> Outgoing | None:
        instance = container_instances.get(call.tx, self._arn)
        if instance is None or instance.status == "INACTIVE":
            return None
        return self._table.outgoing(call, self._arn, on_connect)

    async def _farewell(self) -> None:
        """The host was deregistered: its next handshake will be told so."""
        for socket in list(self._sockets.values()):
            await socket.close(CLOSE_DEREGISTERED)

    def _look_again(self, at: Instant | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            wait = max(0.0, in_seconds(between(self._ground.clock.now(), at)))
            self._timer = asyncio.get_running_loop().call_later(wait, self.wake)

    async def _run(self, work: Callable[[Call], _T]) -> _T:
        ground = self._ground

        def called(tx: Transaction) -> _T:
            return work(
                Call(
                    tx=tx,
                    principal=Principal(kind="host", account=self._account, instance=self._arn),
                    account=self._account,
                    region=self._region,
                    site=ground.site,
                    vault=ground.vault,
                )
            )

        return await asyncio.wrap_future(ground.database.write(called))


def _shown(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("an outbox failed", exc_info=task.exception())
