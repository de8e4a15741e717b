"""One host's link: its session machine, fed with facts as they come, its instructions performed.

Facts are taken in at once, and in memory: connections, frames, ticks. What needs the database is
done behind them, in order, by a task that is there while there is something to do: so a slow
database delays no heartbeat and makes no host look silent, and an idle host costs no task. What is
to be kept of the host's connection is tried until it is kept, for nobody else would say it again;
and what a host should hold is asked again until it is known.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from moorage.acs import session
from moorage.acs.messages import AckRequest, HeartbeatAckRequest, LogsChunk
from moorage.acs.patience import Ending, Uptime
from moorage.acs.telemetry import PublishInstanceStatusRequest, PublishMetricsRequest
from moorage.ecs.agents import AgentTable
from moorage.ecs.controllers.assignments import Outgoing
from moorage.ecs.operations.session import Hello
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.rules.host.engine import engine_gone, gist_of
from moorage.ecs.rules.host.loss import return_window
from moorage.ecs.store import container_instances
from moorage.gateway.aws import Ground
from moorage.gateway.line import Line
from moorage.gateway.output import HostAway, Pieces, Streams, Wanted
from moorage.gateway.said import Said
from moorage.gateway.standing import Keep, Opened, Standing, patience_of
from moorage.gateway.works import Works
from moorage.ground.instant import Moment
from moorage.kernel.call import Call

# An agent that is closed so comes back at once, and learns in the handshake that it is INACTIVE.
CLOSE_DEREGISTERED = 1000
WENT_AWAY = "the host went away"
# Signs of life and metrics touch memory only: no row is read or written for them.
UNWRITTEN = (HeartbeatAckRequest, PublishMetricsRequest)
_log = logging.getLogger("moorage.agents")


class Link:
    """One instance, across its connections."""

    __slots__ = (
        *("_arn", "_ending", "_ground", "_has_ended", "_kept_standing", "_known_status"),
        *("_last_connection", "_left", "_misread", "_publishing", "_rung", "_said"),
        *("_session", "_sockets", "_streams", "_table", "_task", "_wants_manifest", "_woken"),
        "_works",
    )

    def __init__(
        self,
        ground: Ground,
        table: AgentTable,
        instance: ContainerInstance,
        uptime: Uptime | None = None,
        turns: asyncio.Semaphore | None = None,
    ) -> None:
        """Begin without a connection; all links share the server's uptime, and their turns."""
        self._ground = ground
        self._table = table
        self._arn = instance.arn
        self._works = Works(ground, instance, turns, self._ring)
        self._session = session.ServerSession(
            ground.clock.monotonic(),
            patience_of(ground.site),
            instance.loss,
            engine_gone=instance.engine_gone_at is not None,
            uptime=uptime,
        )
        self._sockets: dict[int, Opened] = {}
        self._publishing: Opened | None = None
        self._last_connection = 0
        self._misread = 0
        self._ending: Ending = "closed"
        self._streams = Streams(self._say)
        # What the task has to do: in this order. None: what is kept is of an earlier server.
        self._kept_standing: Standing | None = self._standing
        self._said = Said(self._ring)
        self._wants_manifest = False
        self._woken = False
        self._left = False
        self._rung = False
        self._has_ended = False
        # What was last published of the engine on these connections; nothing else writes it.
        self._known_status: object = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the agent is here."""
        return self._session.connection is not None

    @property
    def is_over(self) -> bool:
        """Whether the host is lost, or has left, and that is kept: a new link may begin then."""
        if not self._left and self._session.loss is None:
            return False  # asked of every host in every tick: what is not so mostly, goes first
        is_kept = self._standing == self._kept_standing and not self._said
        return is_kept and not self._sockets and self._publishing is None

    def expect(self, instance: ContainerInstance, *, is_kept: bool) -> None:
        """Give a host that an earlier server knew its time to come back.

        `is_kept`: its row says already that it is not connected.
        """
        site = self._ground.site
        window = return_window(
            instance, site.reconnect_window, site.goodbye_grace, self._ground.clock.now()
        )
        self._session.watch.expect(window)
        if not is_kept:
            self._kept_standing = None
            self._ring()

    @property
    def look_at(self) -> Moment:
        """Before this moment no tick is wanted."""
        return self._session.look_at

    @property
    def arn(self) -> str:
        """Whose link it is."""
        return self._arn

    def connected(self, opened: Opened, heartbeat_id: str) -> int:
        """A handshake was accepted; answers the connection's number."""
        self._last_connection += 1
        number = self._last_connection
        self._sockets[number] = opened
        self._known_status = None
        if self._publishing is not None and self._publishing.key != opened.key:
            # An agent with another key: the earlier one's telemetry is no more believed.
            self._publishing.line.close(session.CLOSE_REPLACED)
        now = self._ground.clock.monotonic()
        self.take(session.Connected(connection=number, now=now, heartbeat_id=heartbeat_id))
        return number

    def heard(self, connection: int, frame: str | bytes) -> Coroutine[Any, Any, None] | None:
        """A frame came; where too much is not kept yet, what takes it in when there is room."""
        if self._said.is_full:
            return self.received(connection, frame)
        now = self._ground.clock.monotonic()
        self.take(session.FrameReceived(frame=frame, now=now, connection=connection))
        return None

    async def received(self, connection: int, frame: str | bytes) -> None:
        """A frame came; waits while too much is not kept yet, and so does the agent."""
        await self._said.room()
        self.heard(connection, frame)

    def disconnected(self, connection: int, how: Ending) -> None:
        """A connection is gone: the agent said goodbye, or it was closed without a word."""
        self._sockets.pop(connection, None)
        if connection == self._session.connection:
            self._ending = how
        now = self._ground.clock.monotonic()
        self.take(session.Disconnected(connection=connection, now=now, how=how))

    def take(self, fact: session.ServerFact) -> None:
        """Take a fact in, and do at once what can be done in memory."""
        before = self._session.connection
        for instruction in self._session.handle(fact):
            self._perform(instruction, fact)
        if before is not None and self._session.connection != before:
            self._streams.fail_all(WENT_AWAY)

    def wake(self) -> None:
        """Something about this instance changed: look again what it should hold."""
        if self.is_connected or self._publishing is not None:
            self._woken = True
            self._ring()

    def published_by(self, line: Line, key: str) -> None:
        """The websocket of telemetry was opened; a second one of the same host ends the first."""
        if self._publishing is not None:
            self._publishing.line.close(session.CLOSE_REPLACED)
        self._publishing = Opened(line=line, key=key)
        self._known_status = None

    def publishes_no_more(self, line: Line) -> None:
        """That websocket is gone."""
        if self._publishing is not None and self._publishing.line is line:
            self._publishing = None

    def knows(self, message: Any) -> bool:
        """Whether what was published is no news: agents say with each heartbeat how they are."""
        if isinstance(message, PublishInstanceStatusRequest):
            return self._known_status is not None and self._known_status == gist_of(message)
        return isinstance(message, UNWRITTEN)

    async def publish(self, message: Any) -> None:
        """Keep what was published on the other websocket; raises what its handler raises."""
        handler = self._handler(message)
        if handler is not None:
            async with self._works.turn:
                await self._works.run(lambda call: handler(call, self._arn, message))
        if isinstance(message, PublishInstanceStatusRequest):
            self._known_status = gist_of(message)
            gone = engine_gone(message)
            if gone is not None:
                now = self._ground.clock.monotonic()
                self.take(session.EngineSeen(gone=gone, now=now))

    def logs(self, request_id: str, wanted: Wanted) -> Pieces:
        """Ask the agent for output, and give its pieces as they come; raises HostAway."""
        if not self.is_connected:
            raise HostAway("The host that has this output is not connected.")
        return self._streams.open(request_id, wanted)

    async def close(self, code: int) -> None:
        """Close the websockets and end the task."""
        self._said.close()
        self._close_all(code)
        self._has_ended = True
        self._works.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    # In memory

    def _perform(self, instruction: session.ServerInstruction, fact: session.ServerFact) -> None:
        match instruction:
            case session.SendFrame(frame=frame, connection=connection):
                if connection in self._sockets:
                    self._sockets[connection].line.frame(frame)
            case session.CloseConnection(code=code, connection=connection):
                if connection in self._sockets:
                    self._sockets[connection].line.close(code)
            case session.Deliver(message=message):
                self._hear(message, fact)
            case session.Dropped(unreadable=unreadable):
                if self._misread != self._last_connection:  # an agent could fill the log with them
                    self._misread = self._last_connection
                    told = "a frame of %s was not understood (of others no more is told): %s"
                    _log.warning(told, self._arn, unreadable.reason)
            case session.WantManifest():
                self._wants_manifest = True
                self._ring()
            case _:
                self._stand(instruction)

    def _stand(self, instruction: session.ServerInstruction) -> None:
        """The standing has changed; it is kept as it is then, not as it was."""
        match instruction:
            case session.DeclareLost(loss=loss):
                _log.warning("%s is taken for lost: %s", self._arn, loss)
                if loss == "silent" and self._publishing is not None:
                    self._publishing.line.close(session.CLOSE_SILENT)
            case session.DeclareSuspect():
                _log.warning("nothing was heard of %s for a while", self._arn)
            case session.DeclareHeard():
                _log.info("%s was heard again", self._arn)
            case session.DeclareConnected() | session.DeclareDisconnected():
                pass
            case _:
                raise AssertionError(f"no such declaration: {instruction}")
        self._ring()

    @property
    def _standing(self) -> Standing:
        """Where the host stands now."""
        connection = self._session.connection
        return Standing(
            connection=connection,
            newest=self._last_connection,
            how="closed" if connection is not None else self._ending,
            suspect=self._session.suspect,
            loss=self._session.loss,
        )

    def _hear(self, message: Any, fact: session.ServerFact) -> None:
        if isinstance(message, LogsChunk):
            self._streams.take(message)
        elif self._handler(message) is not None:
            assert isinstance(fact, session.FrameReceived), "only a frame brings a message"
            self._said.add(message, len(fact.frame))

    def _handler(self, message: Any) -> Callable[[Call, str, Any], tuple[Any, ...]] | None:
        return None if isinstance(message, UNWRITTEN) else self._table.messages.get(type(message))

    def _say(self, message: Any) -> None:
        self.take(session.MessageOffered(message=message, now=self._ground.clock.monotonic()))

    # In the database

    def _ring(self) -> None:
        """There is something to do."""
        self._rung = True
        if self._task is None and not self._has_ended:
            self._task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._rung:
                async with self._works.turn:
                    self._rung = False
                    if await self._keep_standing():
                        # Each hands its transaction over before the next begins: in this order.
                        await asyncio.gather(*self._due())
        finally:
            self._task = None

    async def _keep_standing(self) -> bool:
        while (standing := self._standing) != self._kept_standing:
            before, hello = self._kept_standing, self._hello(standing)
            keep = Keep(
                table=self._table, arn=self._arn, before=before, standing=standing, hello=hello
            )
            if not await self._works.kept("where it stands", self._works.run(keep)):
                return False
            self._kept_standing = standing
        return True

    def _hello(self, standing: Standing) -> Hello | None:
        """What the agent said of itself on a connection that is not kept yet."""
        before, connection = self._kept_standing, standing.connection
        if connection is None or (before is not None and before.connection == connection):
            return None
        return self._sockets[connection].hello

    def _due(self) -> list[Coroutine[Any, Any, None]]:
        due = [self._keep(group) for group in self._said.portion()]
        if self._woken or (self.is_connected and self._wants_manifest):
            due.append(self._outbox(wants_manifest=self._wants_manifest))
        self._woken = self._wants_manifest = False
        return due

    async def _keep(self, group: list[tuple[Any, int]]) -> None:
        """Keep what was said, all of it in one transaction; where that fails, each for itself."""

        def work(call: Call) -> list[Any]:
            return [reply for message, _ in group for reply in self._heard(call, message)]

        async def heard() -> None:
            for reply in await self._works.run(work):
                self._say(reply)

        is_kept = await self._works.kept(type(group[0][0]).__name__, heard())
        if not is_kept and len(group) > 1:
            await asyncio.gather(*(self._keep([one]) for one in group))
            return
        self._said.done(sum(size_bytes for _, size_bytes in group))
        self._session.acknowledged.difference_update(
            message.message_id for message, _ in group if isinstance(message, AckRequest)
        )
        if not is_kept:
            self._woken = True  # what was not kept as acknowledged is sent once more

    def _heard(self, call: Call, message: Any) -> tuple[Any, ...]:
        handler = self._handler(message)
        assert handler is not None, "only what has a handler waits for it"
        return handler(call, self._arn, message)

    async def _outbox(self, *, wants_manifest: bool) -> None:
        async def looked() -> None:
            found = await self._works.run(lambda call: self._look(call, on_connect=wants_manifest))
            if found is None:
                self._farewell()
            else:
                self._offer(found)

        if not await self._works.kept("what it should hold", looked()):
            self._woken = True
            self._wants_manifest = self._wants_manifest or wants_manifest

    def _look(self, call: Call, *, on_connect: bool) -> Outgoing | None:
        instance = container_instances.get(call.tx, self._arn)
        if instance is None or instance.status == "INACTIVE":
            return None
        # Numbers are given to what is sent: one that is not here is sent nothing.
        return (
            self._table.outgoing(call, self._arn, on_connect) if self.is_connected else Outgoing()
        )

    def _offer(self, found: Outgoing) -> None:
        for notice in found.notices:
            self._say(notice)
        now = self._ground.clock.monotonic()
        payloads, manifest = found.payloads, found.manifest
        if manifest is None:
            self.take(session.OutboxChanged(payloads=payloads, now=now))
        else:
            self.take(session.ManifestOffered(manifest=manifest, payloads=payloads, now=now))

    def _farewell(self) -> None:
        """The host was deregistered: its next handshake will be told so."""
        self._left = True
        self._close_all(CLOSE_DEREGISTERED)

    def _close_all(self, code: int) -> None:
        for opened in filter(None, (*self._sockets.values(), self._publishing)):
            opened.line.close(code)
