"""A simulated host's ACS: the machine of `acs.agent_session` with a websocket and a timer."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from fleet.ground import Ground
from fleet.identity import Identity
from fleet.runs import Runs
from fleet.websocket import NotOpened, Socket
from moorage.acs import messages as m
from moorage.acs.agent_session import (
    AgentFact,
    AgentInstruction,
    AgentSession,
    Closed,
    Dial,
    DialFailed,
    Opened,
    Said,
    SetTimer,
)
from moorage.acs.codec import Refusal
from moorage.acs.session import CloseConnection, Deliver, FrameReceived, SendFrame, Tick
from moorage.ground.instant import Duration, Moment, in_seconds

OK = 200


class Commands:
    """One host's end of ACS, across its connections."""

    __slots__ = (
        *("_due", "_ground", "_identity", "_on_heartbeat", "_runs", "_session"),
        *("_socket", "_task", "_timeline", "_timer", "_timer_at", "is_over", "is_welcome"),
        "_knows_where",
    )

    def __init__(
        self, ground: Ground, identity: Identity, runs: Runs, on_heartbeat: Callable[[], None]
    ) -> None:
        """Begin without a connection; `on_heartbeat` is called for each one that is heard."""
        self._ground = ground
        self._identity = identity
        self._runs = runs
        self._on_heartbeat = on_heartbeat
        self._session = AgentSession()
        self._socket: Socket | None = None
        self._timeline = 0
        self._due: Moment | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = Moment(0)
        self._task: asyncio.Task[None] | None = None
        self._knows_where = False
        self.is_over = False
        # The server that is there now has sent its manifest on this connection.
        self.is_welcome = False

    @property
    def is_open(self) -> bool:
        """Whether there is a connection now."""
        return self._session.connected

    def begin(self) -> None:
        """Dial; whatever happens, it is dialled again as our agent would."""
        self._take(Tick(now=self._now()))

    def cut(self) -> None:
        """Lose the connection as by a cut cable that is whole again."""
        if self._socket is not None:
            self._socket.abort()

    def end(self) -> None:
        """Be gone for good."""
        self.is_over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self.cut()

    # What the websocket tells

    def opened(self, socket: Socket) -> None:
        """A handshake was accepted."""
        self._socket = socket
        self._take(Opened(now=self._now(), jitter=self._ground.chance.random()))
        self._runs.report_again()

    def heard(self, socket: Socket, text: bytes) -> None:
        """A frame came."""
        if socket is self._socket:
            self._take(FrameReceived(frame=text, now=self._now()))

    def ended(self, socket: Socket, code: int) -> None:
        """The connection is gone."""
        if socket is self._socket:
            self._socket, self.is_welcome = None, False
            jitter = self._ground.chance.random()
            self._take(Closed(now=self._now(), code=code, jitter=jitter))

    # The session

    def _take(self, fact: AgentFact) -> None:
        if self.is_over:
            return
        for instruction in self._session.handle(fact):
            self._perform(instruction)

    def _perform(self, instruction: AgentInstruction) -> None:
        match instruction:
            case SendFrame():
                if self._socket is not None:
                    self._socket.send(instruction.frame)
            case SetTimer():
                self._set_timer(instruction.at)
            case Deliver():
                self._hear(instruction.message)
            case Dial():
                self._task = asyncio.create_task(self._dial())
            case CloseConnection():
                if self._socket is not None:
                    gone, self._socket, self.is_welcome = self._socket, None, False
                    gone.close(instruction.code)
            case _:
                self._ground.counters.trouble = f"{instruction}"

    async def _dial(self) -> None:
        self._ground.counters.dials += 1
        try:
            await self._discover()
            await Socket.open(self._ground, ("/acs/ws", self._query()), self._identity.key, self)
        except NotOpened as failure:
            self._ground.counters.failed_dials += 1
            self._knows_where = self._knows_where and failure.unreached
            self._take(
                DialFailed(
                    now=self._now(),
                    refusal=failure.refusal,
                    unreached=failure.unreached,
                    jitter=self._ground.chance.random(),
                )
            )

    async def _discover(self) -> None:
        """Ask where the websockets are, as our agent does once; they are where we asked."""
        if self._knows_where:
            return
        try:
            status, body = await self._identity.call(
                "DiscoverPollEndpoint",
                {
                    "cluster": self._identity.cluster,
                    "containerInstance": self._identity.instance,
                },
            )
        except (OSError, TimeoutError) as error:
            raise NotOpened(unreached=True) from error
        if status != OK:
            raise NotOpened(Refusal(name=str(status), text=body.decode(errors="replace")))
        self._knows_where = True

    def _query(self) -> str:
        return urlencode(
            {
                "agentHash": "fleet",
                "agentVersion": "1.0.0",
                "clusterArn": self._identity.cluster,
                "containerInstanceArn": self._identity.instance,
                "dockerVersion": "DockerVersion: 20.10.24",
                "protocolVersion": "2",
                "sendCredentials": "true",
                "seqNum": "1",
                "timeline": str(self._timeline),
                "clientToken": self._identity.token,
            },
            quote_via=quote,
        )

    def _set_timer(self, at: Moment | None) -> None:
        """Keep the timer that is set where it rings early enough: it looks again then."""
        self._due = at
        if at is not None and (self._timer is None or self._timer_at > at):
            if self._timer is not None:
                self._timer.cancel()
            wait_seconds = max(in_seconds(Duration(at - self._now())), 0.0)
            self._timer_at = at
            self._timer = asyncio.get_running_loop().call_later(wait_seconds, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._now()
        if self._due is not None and now < self._due:
            self._set_timer(self._due)
        elif self._due is not None:
            self._take(Tick(now=now, jitter=self._ground.chance.random()))

    def _now(self) -> Moment:
        return self._ground.clock.monotonic()

    # What the server says

    def _hear(self, message: Any) -> None:
        answer = ANSWERS.get(type(message))
        if answer is None:
            self._ground.counters.trouble = f"unanswered: {type(message).__name__}"
            return
        for reply in answer(self, message):
            self._take(Said(message=reply, now=self._now()))

    def heartbeat(self, message: m.HeartbeatMessage) -> list[Any]:
        """Say that we are here, and how the engine is."""
        self._ground.counters.heartbeats += 1
        self._on_heartbeat()
        return [m.HeartbeatAckRequest(message_id=message.message_id)]

    def payload(self, message: m.PayloadMessage) -> list[Any]:
        """Take the orders in; they are on our disk at once."""
        self._ground.counters.payloads += 1
        self._timeline = max(self._timeline, message.seq_num or 0)
        for order in message.tasks or ():
            self._runs.order(order)
        return self.acknowledged(message)

    def manifest(self, message: m.TaskManifestMessage) -> list[Any]:
        """Compare; one that is no news is dropped."""
        self.is_welcome = True
        if (message.timeline or 0) <= self._timeline:
            return []
        self._ground.counters.manifests += 1
        self._timeline = message.timeline or 0
        listed = {one.task_arn for one in message.tasks or ()}
        beyond = self._runs.beyond(listed)
        asked = m.TaskStopVerificationMessage(message_id=message.message_id, stop_candidates=beyond)
        return [*self.acknowledged(message), *([asked] if beyond else [])]

    def verified(self, message: m.TaskStopVerificationAck) -> list[Any]:
        """Stop what the server does not want here."""
        for one in message.stop_tasks or ():
            self._runs.stop(one.task_arn)
        return []

    def credentials(self, message: m.IAMRoleCredentialsMessage) -> list[Any]:
        """Keep them, it is said."""
        kept = message.role_credentials
        return [
            m.IAMRoleCredentialsAckRequest(
                message_id=message.message_id,
                credentials_id=kept.credentials_id,
                expiration=kept.expiration,
            )
        ]

    def acknowledged(self, message: Any) -> list[Any]:
        """It was understood and stored."""
        return [
            m.AckRequest(
                message_id=message.message_id,
                cluster=self._identity.cluster,
                container_instance=self._identity.instance,
            )
        ]

    def ignored(self, message: Any) -> list[Any]:
        """For the log of an agent that has one."""
        del message
        return []


ANSWERS: dict[type[m.Message], Callable[[Commands, Any], list[Any]]] = {
    m.HeartbeatMessage: Commands.heartbeat,
    m.PayloadMessage: Commands.payload,
    m.TaskManifestMessage: Commands.manifest,
    m.TaskStopVerificationAck: Commands.verified,
    m.IAMRoleCredentialsMessage: Commands.credentials,
    m.RegistryMessage: Commands.acknowledged,
    m.AuthorityMessage: Commands.acknowledged,
    m.ImagesInUseMessage: Commands.acknowledged,
    m.CloseMessage: Commands.ignored,
    m.ErrorMessage: Commands.ignored,
}
