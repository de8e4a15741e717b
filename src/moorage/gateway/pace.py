"""How long a controller's key rests after its turn, so that turns leave the writer to others.

A service of two hundred tasks that start is woken by two hundred reports; a turn for each would look
at all of them two hundred times. So a key rests the longer, the more of the time turns take: not
at all where they take little, and for about a second where they would take most of it. What wakes
it meanwhile is looked at together. Pure.
"""

from moorage.ground.instant import Duration, Moment, in_seconds

# Of the square of the share that turns take: 1 % costs a rest of two milliseconds, 30 % 1.4 s.
REST_SECONDS = 16.0
REST_SECONDS_MAX = 2.0


class Pace:
    """The share of the last second or so that was spent in turns."""

    def __init__(self) -> None:
        """Begin rested."""
        self._share = 0.0
        self._at = Moment(0)

    def rest_seconds(self, now: Moment, spent: Duration) -> float:
        """How long a key rests whose turn has just taken `spent`."""
        gone_seconds = max(in_seconds(Duration(now - self._at)), 0.0)
        self._share = self._share / (1.0 + gone_seconds) + in_seconds(spent)
        self._at = now
        return min(REST_SECONDS * self._share**2, REST_SECONDS_MAX)
