"""How far a run of many schedules is: what was done, what failed, how fast, and how long it takes."""

from moorage.ground.instant import Duration, in_seconds
from moorage.sim.run import Verdict

SECONDS_PER_MINUTE = 60.0
SEEDS_SHOWN_MAX = 20


class Tally:
    """The count of one run."""

    def __init__(self, total: int) -> None:
        """Expect so many verdicts."""
        self.total = total
        self.done = 0
        self.commits = 0
        self.failed: list[int] = []

    def add(self, verdict: Verdict) -> None:
        """One more is done."""
        self.done += 1
        self.commits += verdict.commits
        if verdict.broken:
            self.failed.append(verdict.schedule.seed)

    def told(self, spent: Duration) -> str:
        """One line, `spent` after the beginning."""
        minutes = in_seconds(spent) / SECONDS_PER_MINUTE
        a_minute = self.done / minutes if minutes > 0 else 0.0
        line = f"{self.done}/{self.total} schedules, {len(self.failed)} failed, {a_minute:.0f} a minute"
        rest = self.total - self.done
        return f"{line}, {_length(rest / a_minute)} left" if rest and a_minute else line

    def summary(self) -> str:
        """What there is to say at the end."""
        told = f"{self.commits} commits"
        if self.failed:
            seeds = " ".join(map(str, sorted(self.failed)[:SEEDS_SHOWN_MAX]))
            more = ", and more" if len(self.failed) > SEEDS_SHOWN_MAX else ""
            told += f"; failed: seed {seeds}{more}"
        return told


def _length(minutes: float) -> str:
    if minutes < 1:
        return f"{minutes * SECONDS_PER_MINUTE:.0f} s"
    return f"{minutes:.0f} min"
