"""One host's link: its session machine, fed with facts as they come, its instructions performed.

Facts are taken in at once, and in memory: connections, frames, ticks. What needs the database is
done behind them, in order, by one task: so a slow database delays no heartbeat and makes no host
look silent. What is to be kept of the host's connection is tried until it is kept, for nobody
else would say it again; and what a host should hold is asked again until it is known.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from moorage.acs import session
from moorage.acs.messages import (
    HeartbeatAckRequest,
    LogsChunk,
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
from moorage.gateway.output import HostAway, Pieces, Streams, Wanted
from moorage.gateway.websocket import Socket
from moorage.ground.fault import Fault
from moorage.ground.instant import Duration, seconds
from moorage.ground.principal import Principal
from moorage.kernel.call import Call
from moorage.sql.transaction import Transaction

_T = TypeVar("_T")
# What a host may have said that is not kept yet; beyond it no more is read from the host.
SAID_MAX = 4096
SAID_BYTES_MAX = 16 * 1024 * 1024
SAID_AT_ONCE = 64
# After a server's start no host is lost before it has had time to come back.
RETURN_GRACE = seconds(60)
RETRY_SECONDS = 0.5
RETRY_SECONDS_MAX = 15.0
# An agent that is closed so comes back at once, and learns in the handshake that it is INACTIVE.
CLOSE_DEREGISTERED = 1000
WENT_AWAY = "the host went away"
# Signs of life and metrics touch memory only: no row is read or written for them.
UNWRITTEN = (HeartbeatAckRequest, PublishMetricsRequest)
_log = logging.getLogger("moorage.agents")


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
        self._sockets: dict[int, tuple[Socket, Hello]] = {}
        self._last_connection = 0
        self._goodbye: Disconnection = "closed"
        self._streams = Streams(self._say)
        # What the task has to do: in this order.
        self._standing: Callable[[Call], object] | None = None
        self._said: deque[tuple[Any, int]] = deque()
        self._said_bytes = 0
        self._room = asyncio.Event()
        self._wants_manifest = False
        self._woken = False
        self._failures = 0
        self._bell = asyncio.Event()
        self._retry: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._work())

    @property
    def is_connected(self) -> bool:
        """Whether the agent is here."""
        return self._session.connection is not None

    @property
    def is_over(self) -> bool:
        """Whether the host is lost, and that is kept: a new link may begin where this one ends."""
        waits = self._standing is not None or self._said or self._sockets
        return self._session.lost and not waits

    def expect(self) -> None:
        """Give a host that an earlier server knew its time to come back."""
        self._session.silence = Duration(-RETURN_GRACE)
        self._declare(lambda call: self._table.disconnected(call, self._arn, "closed"))

    def connected(self, socket: Socket, members: dict[str, str], heartbeat_id: str) -> int:
        """A handshake was accepted; answers the connection's number."""
        self._last_connection += 1
        hello = Hello(
            agent_version=members.get("agentVersion", ""),
            agent_hash=members.get("agentHash", ""),
            docker_version=members.get("dockerVersion", "").removeprefix("DockerVersion: "),
        )
        number = self._last_connection
        self._sockets[number] = (socket, hello)
        now = self._ground.clock.monotonic()
        self.take(session.Connected(connection=number, now=now, heartbeat_id=heartbeat_id))
        return number

    async def received(self, connection: int, frame: str | bytes) -> None:
        """A frame came; waits while too much is not kept yet, and so does the agent."""
        while len(self._said) >= SAID_MAX or self._said_bytes >= SAID_BYTES_MAX:
            self._room.clear()
            await self._room.wait()
        now = self._ground.clock.monotonic()
        self.take(session.FrameReceived(frame=frame, now=now, connection=connection))

    def disconnected(self, connection: int, how: Disconnection) -> None:
        """A connection is gone: the agent said goodbye, or it was closed without a word."""
        self._sockets.pop(connection, None)
        self._goodbye = how
        now = self._ground.clock.monotonic()
        self.take(session.Disconnected(connection=connection, now=now))

    def take(self, fact: session.ServerFact) -> None:
        """Take a fact in, and do at once what can be done in memory."""
        before = self._session.connection
        for instruction in self._session.handle(fact):
            self._perform(instruction, fact)
        if before is not None and self._session.connection != before:
            self._streams.fail_all(WENT_AWAY)

    def wake(self) -> None:
        """Something about this instance changed: look again what it should hold."""
        if self.is_connected:
            self._woken = True
            self._bell.set()

    async def publish(self, message: Any) -> None:
        """Keep what was published on the other websocket; raises what its handler raises."""
        handler = self._handler(message)
        if handler is not None:
            await self._run(lambda call: handler(call, self._arn, message))

    def logs(self, request_id: str, wanted: Wanted) -> Pieces:
        """Ask the agent for output, and give its pieces as they come; raises HostAway."""
        if not self.is_connected:
            raise HostAway("The host that has this output is not connected.")
        return self._streams.open(request_id, wanted)

    async def close(self, code: int) -> None:
        """Close the websockets and end the task."""
        for socket, _ in self._sockets.values():
            socket.close(code)
        if self._retry is not None:
            self._retry.cancel()
        self._task.cancel()
        await asyncio.wait({self._task})

    # In memory

    def _perform(self, instruction: session.ServerInstruction, fact: session.ServerFact) -> None:
        match instruction:
            case session.SendFrame(frame=frame, connection=connection):
                if connection in self._sockets:
                    self._sockets[connection][0].frame(frame)
            case session.CloseConnection(code=code, connection=connection):
                if connection in self._sockets:
                    self._sockets[connection][0].close(code)
            case session.Deliver(message=message):
                self._hear(message, fact)
            case session.Dropped(unreadable=unreadable):
                _log.warning("a frame of %s was not understood: %s", self._arn, unreadable.reason)
            case session.WantManifest():
                self._wants_manifest = True
                self._bell.set()
            case _:
                self._stand(instruction)

    def _stand(self, instruction: session.ServerInstruction) -> None:
        table, arn, how = self._table, self._arn, self._goodbye
        match instruction:
            case session.DeclareConnected():
                hello = self._sockets[self._last_connection][1]
                self._declare(lambda call: table.connected(call, arn, hello))
            case session.DeclareDisconnected():
                if not self._session.lost:  # which says more
                    self._declare(lambda call: table.disconnected(call, arn, how))
            case session.DeclareLost():
                _log.warning("%s is taken for lost", arn)
                self._declare(lambda call: table.lost(call, arn))
            case session.DeclareSuspect():
                _log.warning("nothing was heard of %s for a while", arn)
            case session.DeclareHeard():
                _log.info("%s was heard again", arn)
            case _:
                raise AssertionError(f"no such declaration: {instruction}")

    def _declare(self, standing: Callable[[Call], object]) -> None:
        """Only the newest is kept: where a host stands now, not where it stood."""
        self._standing = standing
        self._bell.set()

    def _hear(self, message: Any, fact: session.ServerFact) -> None:
        if isinstance(message, LogsChunk):
            self._streams.take(message)
        elif self._handler(message) is not None:
            assert isinstance(fact, session.FrameReceived), "only a frame brings a message"
            self._said.append((message, len(fact.frame)))
            self._said_bytes += len(fact.frame)
            self._bell.set()

    def _handler(self, message: Any) -> Callable[[Call, str, Any], tuple[Any, ...]] | None:
        return None if isinstance(message, UNWRITTEN) else self._table.messages.get(type(message))

    def _say(self, message: Any) -> None:
        self.take(session.MessageOffered(message=message, now=self._ground.clock.monotonic()))

    # In the database

    async def _work(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            if await self._keep_standing():
                # Each hands its transaction over before the next begins: they run in this order.
                await asyncio.gather(*self._due())

    async def _keep_standing(self) -> bool:
        while (standing := self._standing) is not None:
            if not await self._kept("where it stands", self._run(standing)):
                return False
            if self._standing is standing:
                self._standing = None
        return True

    def _due(self) -> list[Coroutine[Any, Any, None]]:
        due = [self._keep(*self._said.popleft()) for _ in range(min(SAID_AT_ONCE, len(self._said)))]
        if self._said:
            self._bell.set()
        if self.is_connected and (self._woken or self._wants_manifest):
            due.append(self._outbox(wants_manifest=self._wants_manifest))
        self._woken = self._wants_manifest = False
        return due

    async def _keep(self, message: Any, size_bytes: int) -> None:
        handler = self._handler(message)
        assert handler is not None, "only what has a handler waits for it"

        async def heard() -> None:
            for reply in await self._run(lambda call: handler(call, self._arn, message)):
                self._say(reply)

        try:
            if not await self._kept(type(message).__name__, heard()):
                self._woken = True  # what was not kept as acknowledged is sent once more
        finally:
            self._said_bytes -= size_bytes
            self._room.set()

    async def _outbox(self, *, wants_manifest: bool) -> None:
        async def looked() -> None:
            found = await self._run(lambda call: self._look(call, on_connect=wants_manifest))
            if found is None:
                self._farewell()
            else:
                self._offer(found)

        if not await self._kept("what it should hold", looked()):
            self._woken = True
            self._wants_manifest = self._wants_manifest or wants_manifest

    def _look(self, call: Call, *, on_connect: bool) -> Outgoing | None:
        instance = container_instances.get(call.tx, self._arn)
        if instance is None or instance.status == "INACTIVE":
            return None
        return self._table.outgoing(call, self._arn, on_connect)

    def _offer(self, found: Outgoing) -> None:
        payloads = tuple(one for one in found.messages if isinstance(one, PayloadMessage))
        manifests = [one for one in found.messages if isinstance(one, TaskManifestMessage)]
        for message in found.messages:
            if not isinstance(message, PayloadMessage | TaskManifestMessage):
                self._say(message)
        now = self._ground.clock.monotonic()
        if manifests:
            self.take(session.ManifestOffered(manifest=manifests[0], payloads=payloads, now=now))
        else:
            self.take(session.OutboxChanged(payloads=payloads, now=now))

    def _farewell(self) -> None:
        """The host was deregistered: its next handshake will be told so."""
        for socket, _ in self._sockets.values():
            socket.close(CLOSE_DEREGISTERED)

    async def _kept(self, what: str, work: Coroutine[Any, Any, object]) -> bool:
        """Whether a work was done; one that was not is to be tried again, after a growing pause."""
        try:
            await work
        except Fault as fault:
            _log.warning("%s of %s is not kept now: %s", what, self._arn, fault.message)
        except Exception:  # noqa: BLE001 - the gateway's edge: one host's trouble is its own
            _log.exception("%s of %s failed by a fault of ours", what, self._arn)
        else:
            self._failures = 0
            return True
        self._failures += 1
        pause = min(RETRY_SECONDS_MAX, RETRY_SECONDS * 2 ** min(self._failures - 1, 8))
        if self._retry is not None:
            self._retry.cancel()
        self._retry = asyncio.get_running_loop().call_later(pause, self._bell.set)
        return False

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
