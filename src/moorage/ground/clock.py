"""Port Clock, the system's clock, and a clock that tests and the simulator set by hand.

The one file that may read the time. `now` may jump with the machine's clock; `monotonic` never
goes back and judges deadlines; `boottime` does so too, counts time in which the machine slept, and
means the same to every process of one boot: what one wrote down, the next may compare.
"""

import time
from typing import Protocol

from moorage.ground.instant import Duration, Instant, Moment

MANUAL_START = Instant(1_800_000_000_000_000)


class Clock(Protocol):
    """Where the shell learns the time; decisions are handed it as a value."""

    def now(self) -> Instant:
        """The wall-clock time."""
        ...

    def monotonic(self) -> Moment:
        """A reading of a clock that never goes back; only differences have a meaning."""
        ...

    def boottime(self) -> Moment:
        """How long ago this machine was started, its sleep included; never goes back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> Instant:
        """The wall-clock time, to the microsecond."""
        return Instant(time.time_ns() // 1000)

    def monotonic(self) -> Moment:
        """The machine's monotonic clock, to the microsecond."""
        return Moment(time.monotonic_ns() // 1000)

    def boottime(self) -> Moment:
        """CLOCK_BOOTTIME, to the microsecond (clock_gettime(2))."""
        return Moment(time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000)


class ManualClock:
    """A clock that stands still until it is moved: the peer of SystemClock in tests."""

    def __init__(self, start: Instant = MANUAL_START) -> None:
        """Begin at `start`, with the monotonic reading at zero."""
        self._now = start
        self._monotonic = Moment(0)

    def now(self) -> Instant:
        """The time to which the clock was last set."""
        return self._now

    def monotonic(self) -> Moment:
        """How far the clock was moved forward since it was made."""
        return self._monotonic

    def boottime(self) -> Moment:
        """The same as `monotonic`: this machine never sleeps, and was started with the clock."""
        return self._monotonic

    def advance(self, duration: Duration) -> None:
        """Move all readings forward by `duration`, which is not negative."""
        assert duration >= 0, "a monotonic clock never goes back"
        self._now = Instant(self._now + duration)
        self._monotonic = Moment(self._monotonic + duration)

    def jump(self, duration: Duration) -> None:
        """Move only the wall clock, forward or back, as an operator or NTP does."""
        self._now = Instant(self._now + duration)
