"""How long a host may be silent, away, or without its engine, before it counts as lost.

Pure, and counted only over time in which the server itself ran: between two looks no more than
GAP_COUNTED_MAX passes, whatever the clock says. So a server that slept for a minute has missed
nothing, and every deadline, those of grace too, moves by what it slept.

Three counts run side by side. *Silence*: a machine without power, or behind a cut cable, says
nothing. *Away*: the connection was closed, so the machine lives, and its containers with it; only
its agent is gone, for an upgrade perhaps. *Engine*: the agent is here and says that its container
engine is not.
"""

from typing import Literal

from moorage.ground.instant import Duration, Moment, minutes, seconds
from moorage.ground.record import Record

# A gap between two looks longer than this is time in which the server itself did not run.
GAP_COUNTED_MAX = seconds(2)
HEARTBEAT_PERIOD = seconds(5)
# Of the time after which a host is suspect: one heartbeat and its answer fit in.
HEARTBEAT_SHARE = 0.625
# An agent tells how its engine is within this after it has connected (Amazon's: at most 20 s).
ENGINE_WORD_WITHIN = seconds(25)

# How a connection ended: it was cut; the agent said goodbye; or nothing came through it any more.
Ending = Literal["closed", "goodbye", "silent"]
# Why a host counts as lost: nothing is heard; its agent went and stayed away; its engine is gone.
Loss = Literal["silent", "away", "engine"]


class Patience(Record):
    """The durations after which a host is suspect, and lost; all are settings of the server."""

    suspect_after: Duration = seconds(8)
    lost_after: Duration = seconds(12)
    closed_grace: Duration = seconds(60)
    goodbye_grace: Duration = minutes(5)
    engine_grace: Duration = seconds(60)


def heartbeat_period(patience: Patience) -> Duration:
    """How often a heartbeat goes out: one and its answer fit in before a host is suspect or lost."""
    soonest = min(patience.suspect_after, patience.lost_after)
    return Duration(min(HEARTBEAT_PERIOD, round(HEARTBEAT_SHARE * soonest)))


class Uptime:
    """How long this server has run: one for all its hosts, who were all unheard while it stood still."""

    __slots__ = ("_last", "_woke", "ran")

    def __init__(self, now: Moment) -> None:
        """Begin to count."""
        self._last = now
        self.ran = Duration(0)
        self._woke: Duration | None = None

    def passed(self, now: Moment) -> None:
        """Time went by, as much of it as the server ran."""
        gap = now - self._last
        if gap <= 0:
            return
        self._last = now
        self.ran = Duration(self.ran + min(gap, GAP_COUNTED_MAX))
        if gap > GAP_COUNTED_MAX:
            self._woke = self.ran

    @property
    def awake(self) -> Duration | None:
        """How long the server has run since it last stood still; None where it never did."""
        return None if self._woke is None else Duration(self.ran - self._woke)


class Watch:
    """The three counts of one host, and what follows from them.

    `suspect` and `loss` are the verdict; `passed` makes it stricter, what is heard takes it back.
    Each count is kept as the uptime at which it began, so that nothing is to be added up for a host
    of which there is nothing to say.
    """

    __slots__ = (
        *("_answered", "_away", "_engine", "_heard", "_uptime"),
        *("grace", "loss", "patience", "suspect"),
    )

    def __init__(
        self,
        patience: Patience,
        now: Moment,
        loss: Loss | None = None,
        *,
        engine_gone: bool,
        uptime: Uptime | None = None,
    ) -> None:
        """Begin without a connection; silence is counted from here, by the server's `uptime`."""
        self.patience = patience
        self._uptime = uptime or Uptime(now)
        self._uptime.passed(now)
        began = self._uptime.ran
        self._heard = began
        # When the agent last answered us: what it says by itself does not prove that it hears us.
        self._answered = began
        self._away: Duration | None = None
        self.grace = Duration(0)
        self._engine: Duration | None = began if engine_gone else None
        self.suspect = False
        self.loss = loss

    @property
    def silence(self) -> Duration:
        """How long nothing was heard."""
        return Duration(self._uptime.ran - self._heard)

    @property
    def unanswered(self) -> Duration:
        """How long the agent has answered nothing."""
        return Duration(self._uptime.ran - self._answered)

    @property
    def away(self) -> Duration | None:
        """How long there was no connection, where it was closed."""
        return None if self._away is None else Duration(self._uptime.ran - self._away)

    @property
    def engine(self) -> Duration | None:
        """How long the engine has been gone, where it is."""
        return None if self._engine is None else Duration(self._uptime.ran - self._engine)

    def passed(self, now: Moment) -> None:
        """Time went by, as much of it as the server ran."""
        self._uptime.passed(now)

    def judge(self) -> None:
        """Draw the conclusions; a host that is lost stays so until it is heard.

        One that lost its engine may still fall silent: then its agent is gone, too.
        """
        if self.loss in {"silent", "away"}:
            return
        patience = self.patience
        away, engine = self.away, self.engine
        if away is not None:
            if self.loss is None and away >= self.grace:
                self.loss = "away"
            return
        silence = self._uptime.ran - self._deaf_from
        self.suspect = self.suspect or silence >= patience.suspect_after
        if silence >= patience.lost_after:
            self.loss = "silent"
        elif engine is not None and engine >= patience.engine_grace:
            self.loss = "engine"

    @property
    def rest(self) -> Duration | None:
        """For how long `judge` can find nothing new if nothing happens; None: for ever."""
        loss, patience, ran = self.loss, self.patience, self._uptime.ran
        if self._away is not None:
            return None if loss is not None else Duration(self._away + self.grace - ran)
        if loss in {"silent", "away"}:
            return None
        most = patience.lost_after
        if not self.suspect and patience.suspect_after < most:
            most = patience.suspect_after
        rest = self._deaf_from + most - ran
        if self._engine is not None and loss is None:
            rest = min(rest, self._engine + patience.engine_grace - ran)
        return Duration(rest)

    def opened(self) -> None:
        """The agent is here."""
        self._away = None
        self.heard(answer=True)
        if self._engine is not None:
            # What it said of its engine was before it went: it may have another word to say.
            early = max(self.patience.engine_grace - ENGINE_WORD_WITHIN, 0)
            self._engine = Duration(max(self._engine, self._uptime.ran - early))

    def heard(self, *, answer: bool) -> None:
        """The agent said something; `answer`: to something that we said."""
        self._heard = self._uptime.ran
        if answer:
            self._answered = self._uptime.ran
        elif self.unanswered - self.patience.lost_after >= self.patience.suspect_after:
            return
        self.suspect = False
        if self.loss is not None:
            self.loss = None if self._engine is None else "engine"

    def closed(self, how: Ending) -> None:
        """The connection is gone. One in which nothing was heard any more is no sign of life.

        Unless it was the server that was silent: then its agent comes back like any other.
        """
        awake = self._uptime.awake
        stood_still = awake is not None and awake < self.patience.suspect_after
        if how == "silent" and not stood_still:
            doubted = self._uptime.ran - self.patience.suspect_after
            self._heard = Duration(min(self._heard, doubted))
            return
        is_goodbye = how == "goodbye"
        self.expect(self.patience.goodbye_grace if is_goodbye else self.patience.closed_grace)

    def expect(self, grace: Duration) -> None:
        """The host may stay away for so long from now on."""
        self._away, self.grace = self._uptime.ran, grace
        self.suspect = False

    def engine_seen(self, *, gone: bool) -> None:
        """The agent said how its engine is."""
        if gone:
            self._engine = self._uptime.ran if self._engine is None else self._engine
            return
        self._engine = None
        if self.loss == "engine":
            self.loss = None

    @property
    def _deaf_from(self) -> int:
        """Since when the host counts as silent.

        One that speaks and never answers is behind a cable that is cut one way.
        """
        return min(self._heard, self._answered + self.patience.lost_after)
