"""The agent's end of the ACS protocol: dial, listen, notice silence, dial again.

A pure machine, one a process; the server's end and the vocabulary that both share are in
`session.py`. The rules of return are those of Amazon's agent (agent-protocol 3.3 to 3.5), but for
shorter silence: our server sends a heartbeat each five seconds.
"""

from moorage.acs.codec import (
    INACTIVE_INSTANCE,
    REPLACED_KEY_REFUSAL,
    Refusal,
    Unreadable,
    decode_from_server,
    encode,
)
from moorage.acs.messages import AgentMessage
from moorage.acs.session import (
    CLOSE_REPLACED,
    CLOSE_SILENT,
    CloseConnection,
    Deliver,
    Dropped,
    FrameReceived,
    SendFrame,
    Tick,
)
from moorage.ground.instant import Duration, Moment, hours, minutes, seconds
from moorage.ground.record import Record

# One beat missed and most of the next, and less than after what the server counts a host as lost:
# an agent behind a cut cable dials before that, and waits for no retransmission.
INACTIVITY_MIN = seconds(9)
INACTIVITY_JITTER = seconds(1)
BACK_OFF_FIRST = seconds(0.25)
BACK_OFF_FACTOR = 1.5
BACK_OFF_JITTER = 0.2
# Amazon's agent waits up to two minutes; on machines of one's own a server comes back sooner.
BACK_OFF_MAX = seconds(15)
# Where nobody answered there is no server to be pestered; and what is surplus is to go within
# seconds once the cable is whole.
UNREACHED_BACK_OFF_MAX = seconds(2)
BACK_OFF_STEPS_MAX = 32
# Refusals that no further try will change: only a person can; but he may do so at the server.
HOPELESS = frozenset({INACTIVE_INSTANCE, REPLACED_KEY_REFUSAL, "UnrecognizedClientException"})
HOPELESS_WAIT_FIRST = minutes(1)
HOPELESS_WAIT_MAX = hours(1)
# Another agent with our identity has taken our place: to take it back would end its connection, and
# it would do the same.
REPLACED_WAIT = minutes(10)
# After a connection of this length the next one is begun without delay, and so is one after a
# cut (1006) or a polite end; a shorter one is a server in trouble, which is not to be pestered.
LASTING_CONNECTION = seconds(1)
CODES_FOR_RETURN_AT_ONCE = frozenset({1000, 1001, 1006, 1011})
CLOSE_GOING_AWAY = 1001


class Opened(Record):
    """The handshake was accepted. `jitter` is between 0 and 1."""

    now: Moment
    jitter: float = 0.0


class Closed(Record):
    """The connection is gone; `code` 1006 where it was cut."""

    now: Moment
    code: int = 1006
    jitter: float = 0.0


class DialFailed(Record):
    """No connection came about; `refusal` where the server said why.

    `unreached` where nobody answered at all.
    """

    now: Moment
    refusal: Refusal | None = None
    unreached: bool = False
    jitter: float = 0.0


class Said(Record):
    """The agent has something to say; lost where there is no connection (the server asks again)."""

    message: AgentMessage
    now: Moment


class Dial(Record):
    """Open a connection: Opened or DialFailed."""


class SetTimer(Record):
    """Feed Tick at this moment; replaces the timer set before. None: no timer."""

    at: Moment | None


AgentFact = Opened | Closed | DialFailed | FrameReceived | Said | Tick
AgentInstruction = Dial | SendFrame | CloseConnection | Deliver | Dropped | SetTimer


class AgentSession:
    """The agent's end: feed a Tick to begin."""

    def __init__(self) -> None:
        """Begin without a connection."""
        self.opened_at: Moment | None = None
        self.dialling = False
        self.dial_at: Moment | None = None
        self.silent_at: Moment | None = None
        self.failures = 0
        self.hopeless = 0

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self.opened_at is not None

    def handle(self, fact: AgentFact) -> list[AgentInstruction]:
        """Take one fact in; what is to be done, in order."""
        match fact:
            case Opened():
                self.dialling = False
                self.opened_at = fact.now
                self.hopeless = 0
                return self._listen(fact.now, fact.jitter)
            case Closed():
                return self._closed(fact)
            case DialFailed():
                return self._failed(fact)
            case FrameReceived():
                return self._received(fact)
            case Said():
                return [SendFrame(frame=encode(fact.message))] if self.connected else []
            case Tick():
                return self._tick(fact)

    def _listen(self, now: Moment, jitter: float) -> list[AgentInstruction]:
        self.silent_at = Moment(now + INACTIVITY_MIN + round(jitter * INACTIVITY_JITTER))
        return [SetTimer(at=self.silent_at)]

    def _received(self, fact: FrameReceived) -> list[AgentInstruction]:
        if not self.connected:
            return []
        message = decode_from_server(fact.frame)
        if isinstance(message, Unreadable):
            return [Dropped(unreadable=message)]
        # Only what is understood proves that the server is there (agent-protocol 3.3).
        return [*self._listen(fact.now, 0.5), Deliver(message=message)]

    def _closed(self, fact: Closed) -> list[AgentInstruction]:
        if self.opened_at is None:
            return []
        lasted = self._over(self.opened_at, fact.now)
        if fact.code == CLOSE_REPLACED:
            return self._wait(fact.now, REPLACED_WAIT)
        if lasted and fact.code in CODES_FOR_RETURN_AT_ONCE:
            self.dialling = True
            return [SetTimer(at=None), Dial()]
        return self._wait(fact.now, self._back_off(fact.jitter))

    def _over(self, opened_at: Moment, now: Moment) -> bool:
        """The connection is gone; whether it lasted: then what failed before it counts no more."""
        lasted = now - opened_at >= LASTING_CONNECTION
        if lasted:
            self.failures = 0
        self.opened_at = self.silent_at = None
        return lasted

    def _failed(self, fact: DialFailed) -> list[AgentInstruction]:
        self.dialling = False
        name = fact.refusal.name if fact.refusal else ""
        if name in HOPELESS:
            wait = HOPELESS_WAIT_FIRST * 2 ** min(self.hopeless, BACK_OFF_STEPS_MAX)
            self.hopeless += 1
            return self._wait(fact.now, Duration(min(wait, HOPELESS_WAIT_MAX)))
        most = UNREACHED_BACK_OFF_MAX if fact.unreached else BACK_OFF_MAX
        return self._wait(fact.now, self._back_off(fact.jitter, most))

    def _back_off(self, jitter: float, most: Duration = BACK_OFF_MAX) -> Duration:
        wait = BACK_OFF_FIRST * BACK_OFF_FACTOR ** min(self.failures, BACK_OFF_STEPS_MAX)
        self.failures += 1
        return Duration(round(min(wait, most) * (1 + BACK_OFF_JITTER * jitter)))

    def _wait(self, now: Moment, wait: Duration) -> list[AgentInstruction]:
        self.dial_at = Moment(now + wait)
        return [SetTimer(at=self.dial_at)]

    def _tick(self, fact: Tick) -> list[AgentInstruction]:
        if self.opened_at is not None:
            if self.silent_at is None or fact.now < self.silent_at:
                return []
            self._over(self.opened_at, fact.now)
            wait = self._wait(fact.now, self._back_off(fact.jitter))
            # No goodbye: where this code arrives, the server learns that it is not heard.
            return [CloseConnection(code=CLOSE_SILENT), *wait]
        if self.dialling or (self.dial_at is not None and fact.now < self.dial_at):
            return []
        self.dial_at = None
        self.dialling = True
        return [Dial()]
