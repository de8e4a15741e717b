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


class Watch:
    """The three counts of one host, and what follows from them.

    `suspect` and `loss` are the verdict; `passed` makes it stricter, what is heard takes it back.
    """

    def __init__(
        self, patience: Patience, now: Moment, loss: Loss | None = None, *, engine_gone: bool
    ) -> None:
        """Begin without a connection; silence is counted from here."""
        self.patience = patience
        self.last = now
        self.silence = Duration(0)
        # Since the agent answered us: what it says by itself does not prove that it hears us.
        self.unanswered = Duration(0)
        self.away: Duration | None = None
        self.grace = Duration(0)
        self.engine: Duration | None = Duration(0) if engine_gone else None
        # How long the server has run since it last stood still.
        self.awake: Duration | None = None
        self.suspect = False
        self.loss = loss

    def passed(self, now: Moment) -> None:
        """Time went by, as much of it as the server ran."""
        gap = max(now - self.last, 0)
        ran = min(gap, GAP_COUNTED_MAX)
        self.last = max(self.last, now)
        if gap > GAP_COUNTED_MAX:
            self.awake = Duration(0)
        elif self.awake is not None:
            self.awake = Duration(self.awake + ran)
        self.silence = Duration(self.silence + ran)
        self.unanswered = Duration(self.unanswered + ran)
        if self.away is not None:
            self.away = Duration(self.away + ran)
        if self.engine is not None:
            self.engine = Duration(self.engine + ran)

    def judge(self) -> None:
        """Draw the conclusions; a host that is lost stays so until it is heard.

        One that lost its engine may still fall silent: then its agent is gone, too.
        """
        if self.loss in {"silent", "away"}:
            return
        patience = self.patience
        if self.away is not None:
            if self.loss is None and self.away >= self.grace:
                self.loss = "away"
            return
        # One that speaks and never answers is behind a cable that is cut one way.
        deaf = self.unanswered - patience.lost_after
        silence = max(self.silence, deaf)
        self.suspect = self.suspect or silence >= patience.suspect_after
        if silence >= patience.lost_after:
            self.loss = "silent"
        elif self.engine is not None and self.engine >= patience.engine_grace:
            self.loss = "engine"

    def opened(self) -> None:
        """The agent is here."""
        self.away = None
        self.heard(answer=True)
        if self.engine is not None:
            # What it said of its engine was before it went: it may have another word to say.
            early = max(self.patience.engine_grace - ENGINE_WORD_WITHIN, 0)
            self.engine = Duration(min(self.engine, early))

    def heard(self, *, answer: bool) -> None:
        """The agent said something; `answer`: to something that we said."""
        self.silence = Duration(0)
        if answer:
            self.unanswered = Duration(0)
        elif self.unanswered - self.patience.lost_after >= self.patience.suspect_after:
            return
        self.suspect = False
        if self.loss is not None:
            self.loss = None if self.engine is None else "engine"

    def closed(self, how: Ending) -> None:
        """The connection is gone. One in which nothing was heard any more is no sign of life.

        Unless it was the server that was silent: then its agent comes back like any other.
        """
        stood_still = self.awake is not None and self.awake < self.patience.suspect_after
        if how == "silent" and not stood_still:
            self.silence = Duration(max(self.silence, self.patience.suspect_after))
            return
        is_goodbye = how == "goodbye"
        self.expect(self.patience.goodbye_grace if is_goodbye else self.patience.closed_grace)

    def expect(self, grace: Duration) -> None:
        """The host may stay away for so long from now on."""
        self.away, self.grace = Duration(0), grace
        self.suspect = False

    def engine_seen(self, *, gone: bool) -> None:
        """The agent said how its engine is."""
        if gone:
            self.engine = Duration(0) if self.engine is None else self.engine
            return
        self.engine = None
        if self.loss == "engine":
            self.loss = None
