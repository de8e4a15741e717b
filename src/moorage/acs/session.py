"""The ACS protocol as a pure machine: what both ends share, and the server's end of it.

Facts go in, imperatives come out; whoever owns the socket performs them. Time is a Moment of the
owner's monotonic clock; ids and jitter are handed in, so that nothing here is random. The agent's
end is in `agent_session.py`.

The server's end is one machine an instance for as long as the server runs: heartbeats, payloads
resent until acknowledged, a manifest after each connect, and the word on a host that is suspect or
lost, which `patience.py` finds.
"""

from collections.abc import Callable

from moorage.acs.codec import Unreadable, decode_from_agent, encode
from moorage.acs.messages import (
    AckRequest,
    AgentMessage,
    HeartbeatAckRequest,
    HeartbeatMessage,
    PayloadMessage,
    ServerMessage,
    TaskManifestMessage,
)
from moorage.acs.patience import Ending, Loss, Patience, Uptime, Watch, heartbeat_period
from moorage.ground.instant import Moment, minutes, seconds
from moorage.ground.record import Record

RESEND_AFTER = seconds(10)
PAYLOADS_IN_FLIGHT_MAX = 64
MANIFEST_TRIES_MAX = 5
# Books and host are compared now and then even where no connection breaks.
MANIFEST_PERIOD = minutes(10)
TICK_PERIOD = seconds(0.5)
# A second connection of the same instance ends the first; not 1000, which would make it return
# at once, so that two agents with one identity do not chase each other.
CLOSE_REPLACED = 4000
CLOSE_SILENT = 4001


class Connected(Record):
    """The handshake of an agent was accepted; `connection` numbers it within this instance."""

    connection: int
    now: Moment
    heartbeat_id: str


class Disconnected(Record):
    """A connection is gone; `how` tells a cut from a goodbye, and both from a silence."""

    connection: int
    now: Moment
    how: Ending = "closed"


class EngineSeen(Record):
    """The agent said whether its container engine is gone."""

    gone: bool
    now: Moment


class FrameReceived(Record):
    """A frame came; the agent's end leaves `connection` at 0."""

    frame: str | bytes
    now: Moment
    connection: int = 0


class OutboxChanged(Record):
    """All payloads that the instance has not acknowledged, in the order of their seqNum."""

    payloads: tuple[PayloadMessage, ...]
    now: Moment


class ManifestOffered(Record):
    """The manifest that was wanted, and all unacknowledged payloads as of the same transaction.

    The payloads go first: an agent may report a task that a manifest lists and that it has never
    been sent as stopped.
    """

    manifest: TaskManifestMessage
    payloads: tuple[PayloadMessage, ...]
    now: Moment


class MessageOffered(Record):
    """Anything else to say; said once, now or never."""

    message: ServerMessage
    now: Moment


class Tick(Record):
    """Time passed. `jitter` is between 0 and 1.

    The server's end wants one within TICK_PERIOD of its `look_at`; more do no harm.
    """

    now: Moment
    heartbeat_id: str = ""
    jitter: float = 0.0


class SendFrame(Record):
    """Write this text frame."""

    frame: str
    connection: int = 0


class CloseConnection(Record):
    """Close with this code."""

    code: int
    connection: int = 0


class Deliver(Record):
    """Hand this message to those whom it concerns."""

    message: ServerMessage | AgentMessage


class Dropped(Record):
    """A frame was not understood; for the log."""

    unreadable: Unreadable


class WantManifest(Record):
    """Make a manifest with the next number of the instance's counter: ManifestOffered."""


class DeclareConnected(Record):
    """The instance is here (`agentConnected` true)."""


class DeclareDisconnected(Record):
    """It has no connection (`agentConnected` false); nothing is concluded from that alone."""


class DeclareSuspect(Record):
    """Nothing was heard for a while."""


class DeclareLost(Record):
    """The host counts as lost from now on, and why."""

    loss: Loss


class DeclareHeard(Record):
    """One that was suspect or lost was heard again."""


ServerFact = (
    Connected
    | Disconnected
    | FrameReceived
    | OutboxChanged
    | ManifestOffered
    | MessageOffered
    | EngineSeen
    | Tick
)
ServerInstruction = (
    SendFrame
    | CloseConnection
    | Deliver
    | Dropped
    | WantManifest
    | DeclareConnected
    | DeclareDisconnected
    | DeclareSuspect
    | DeclareLost
    | DeclareHeard
)


class ServerSession:
    """The server's end for one instance, across its connections."""

    __slots__ = (
        *("acknowledged", "answered", "connection", "heartbeat_at", "heartbeat_period", "look_at"),
        *("manifest", "manifest_sent_at", "manifest_tries", "payloads", "sent", "watch"),
    )

    def __init__(
        self,
        now: Moment,
        patience: Patience | None = None,
        loss: Loss | None = None,
        *,
        engine_gone: bool = False,
        uptime: Uptime | None = None,
    ) -> None:
        """Begin without a connection; silence is counted from here, by the server's `uptime`.

        `loss` and `engine_gone` are what is known of the host already.
        """
        allowed = patience or Patience()
        self.watch = Watch(allowed, now, loss, engine_gone=engine_gone, uptime=uptime)
        # Before this moment a Tick changes nothing: of thousands of hosts most are passed over.
        self.look_at = now
        self.heartbeat_period = heartbeat_period(self.watch.patience)
        self.connection: int | None = None
        # Orders that were acknowledged, until whoever keeps that says so: they may be listed still.
        self.acknowledged: set[str] = set()
        # The newest heartbeat of this connection whose answer has come: see HeartbeatMessage.
        self.answered: str | None = None
        self.payloads: dict[str, PayloadMessage] = {}
        self.sent: dict[str, Moment] = {}
        self.manifest: str | None = None
        self.manifest_sent_at = now
        self.manifest_tries = 0
        self.heartbeat_at = now

    @property
    def suspect(self) -> bool:
        """Whether nothing was heard of the host for a while."""
        return self.watch.suspect

    @property
    def loss(self) -> Loss | None:
        """Why the host counts as lost, or None where it does not."""
        return self.watch.loss

    def handle(self, fact: ServerFact) -> list[ServerInstruction]:
        """Take one fact in; what is to be done, in order."""
        self.watch.passed(fact.now)
        if isinstance(fact, Tick):
            return self._ticked(fact)
        if not isinstance(fact, FrameReceived):  # what is heard only puts off what is due
            self.look_at = fact.now
        match fact:
            case Connected():
                return self._connected(fact)
            case Disconnected():
                return self._disconnected(fact)
            case FrameReceived():
                return self._received(fact)
            case OutboxChanged():
                return self._outbox(fact.payloads, fact.now)
            case ManifestOffered():
                return self._manifest(fact)
            case MessageOffered():
                return self._send(encode(fact.message))
            case EngineSeen():
                return self._changed(lambda: self.watch.engine_seen(gone=fact.gone))

    def _send(self, frame: str) -> list[ServerInstruction]:
        number = self.connection
        return [] if number is None else [SendFrame(frame=frame, connection=number)]

    def _changed(self, take_in: Callable[[], None]) -> list[ServerInstruction]:
        """Let the watch take something in; DeclareHeard where that ended a doubt or a loss."""
        before = (self.suspect, self.loss)
        take_in()
        return [] if (self.suspect, self.loss) == before else [DeclareHeard()]

    def _connected(self, fact: Connected) -> list[ServerInstruction]:
        done: list[ServerInstruction] = []
        if self.connection is not None:
            done.append(CloseConnection(code=CLOSE_REPLACED, connection=self.connection))
        self.connection = fact.connection
        self.answered = None
        self.sent.clear()
        self.manifest = None
        self.manifest_tries = 1
        self.manifest_sent_at = fact.now
        done += [DeclareConnected(), *self._changed(self.watch.opened)]
        done += self._beat(fact.now, fact.heartbeat_id)
        done += self._fill(fact.now)
        return [*done, WantManifest()]

    def _disconnected(self, fact: Disconnected) -> list[ServerInstruction]:
        if fact.connection != self.connection:
            return []
        self.connection = None
        self.sent.clear()
        self.watch.closed(fact.how)
        return [DeclareDisconnected()]

    def _received(self, fact: FrameReceived) -> list[ServerInstruction]:
        if fact.connection != self.connection:
            return []
        message = decode_from_agent(fact.frame)
        answer = isinstance(message, AckRequest | HeartbeatAckRequest)
        heard = self._changed(lambda: self.watch.heard(answer=answer))
        if isinstance(message, Unreadable):
            return [*heard, Dropped(unreadable=message)]
        if isinstance(message, HeartbeatAckRequest) and message.message_id:
            self.answered = message.message_id
        if isinstance(message, AckRequest):
            if self.payloads.pop(message.message_id, None) is not None:
                self.acknowledged.add(message.message_id)
            self.sent.pop(message.message_id, None)
            if message.message_id == self.manifest:
                self.manifest = None
                self.manifest_tries = MANIFEST_TRIES_MAX
        return [*heard, Deliver(message=message), *self._fill(fact.now)]

    def _outbox(self, payloads: tuple[PayloadMessage, ...], now: Moment) -> list[ServerInstruction]:
        listed = {payload.message_id: payload for payload in payloads}
        self.acknowledged &= listed.keys()
        self.payloads = {i: one for i, one in listed.items() if i not in self.acknowledged}
        self.sent = {i: at for i, at in self.sent.items() if i in self.payloads}
        return self._fill(now)

    def _manifest(self, fact: ManifestOffered) -> list[ServerInstruction]:
        done = self._outbox(fact.payloads, fact.now)
        if self.connection is None:
            return done
        self.manifest = fact.manifest.message_id
        self.manifest_sent_at = fact.now
        if len(self.sent) < len(self.payloads):
            # Not all fit into flight: the manifest waits for another try, when they have gone.
            self.manifest = None
            return done
        return [*done, *self._send(encode(fact.manifest))]

    def _fill(self, now: Moment) -> list[ServerInstruction]:
        """Send, in order, what was not sent on this connection, and again what is overdue."""
        if self.connection is None:
            return []
        done: list[ServerInstruction] = []
        for message_id, payload in self.payloads.items():
            at = self.sent.get(message_id)
            fresh = at is None and len(self.sent) < PAYLOADS_IN_FLIGHT_MAX
            if fresh or (at is not None and now - at >= RESEND_AFTER):
                self.sent[message_id] = now
                done += self._send(encode(payload))
        return done

    def _beat(self, now: Moment, heartbeat_id: str) -> list[ServerInstruction]:
        self.heartbeat_at = now
        beat = HeartbeatMessage(message_id=heartbeat_id, healthy=True, answered=self.answered)
        return self._send(encode(beat))

    def _tick(self, fact: Tick) -> list[ServerInstruction]:
        done = self._judge()
        if self.connection is None:
            return done
        # All hosts are asked in the same tick: those that are cut off together are missed together.
        if fact.now // self.heartbeat_period != self.heartbeat_at // self.heartbeat_period:
            done += self._beat(fact.now, fact.heartbeat_id)
        done += self._fill(fact.now)
        return [*done, *self._audit(fact.now)]

    def _ticked(self, fact: Tick) -> list[ServerInstruction]:
        """Let time pass, unless what was heard has put off what was due."""
        self.look_at = self._next_look(fact.now)
        if self.look_at > fact.now:
            return []
        done = self._tick(fact)
        self.look_at = self._next_look(fact.now)
        return done

    def _next_look(self, now: Moment) -> Moment:
        """When time alone may bring something about; the clock runs no slower than the uptime."""
        rest = self.watch.rest
        look = now + (MANIFEST_PERIOD if rest is None else rest)
        if self.connection is None:
            return Moment(look)
        beat = (self.heartbeat_at // self.heartbeat_period + 1) * self.heartbeat_period
        waits = self.manifest_tries < MANIFEST_TRIES_MAX
        audit = self.manifest_sent_at + (RESEND_AFTER if waits else MANIFEST_PERIOD)
        resend = min(self.sent.values()) + RESEND_AFTER if self.sent else audit
        return Moment(min(look, beat, audit, resend))

    def _judge(self) -> list[ServerInstruction]:
        """What time alone has brought about; a connection in which nothing is heard is closed."""
        doubted, lost = self.suspect, self.loss
        self.watch.judge()
        done: list[ServerInstruction] = []
        if self.suspect and not doubted:
            done.append(DeclareSuspect())
        if self.loss is None or self.loss == lost:
            return done
        done.append(DeclareLost(loss=self.loss))
        if self.loss == "silent" and self.connection is not None:
            done.append(CloseConnection(code=CLOSE_SILENT, connection=self.connection))
            self.connection = None
            self.sent.clear()
            done.append(DeclareDisconnected())
        return done

    def _audit(self, now: Moment) -> list[ServerInstruction]:
        waited = now - self.manifest_sent_at
        if waited >= MANIFEST_PERIOD:
            self.manifest_tries = 0
        if waited < RESEND_AFTER or self.manifest_tries >= MANIFEST_TRIES_MAX:
            return []
        self.manifest_tries += 1
        self.manifest_sent_at = now
        return [WantManifest()]
