"""What is due: changes and timers in, the next due controller keys out. Pure."""

import heapq
from collections.abc import Iterable

from moorage.ground.instant import Instant

Key = tuple[str, str]
# Timers that were set anew stay in the heap until they come up; beyond this many it is made anew.
STALE_TIMERS_MAX = 256


class Agenda:
    """The keys of one server's controllers: which are due now, and which later.

    A key is held once however often it was woken; one that is woken while it runs becomes due
    again when it has finished, so that no change is overlooked and no key runs beside itself.
    """

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._due: dict[Key, None] = {}
        self._running: dict[Key, bool] = {}
        self._timers: dict[Key, Instant] = {}
        self._heap: list[tuple[Instant, Key]] = []

    def wake(self, keys: Iterable[Key]) -> None:
        """Take in changes: each key is due at once, or again after its present run."""
        for key in keys:
            if key in self._running:
                self._running[key] = True
            else:
                self._due[key] = None

    def take(self, now: Instant, limit: int) -> list[Key]:
        """At most `limit` keys that are due, oldest first; each runs until `finish` is called."""
        self._ring(now)
        taken = list(self._due)[:limit]
        for key in taken:
            del self._due[key]
            self._timers.pop(key, None)
            self._running[key] = False
        return taken

    def finish(self, key: Key, look_again: Instant | None) -> None:
        """A key has run; it is due again at `look_again`, or at once if it was woken meanwhile."""
        if self._running.pop(key):
            self._due[key] = None
        elif look_again is not None:
            self._timers[key] = look_again
            heapq.heappush(self._heap, (look_again, key))
            if len(self._heap) > 2 * len(self._timers) + STALE_TIMERS_MAX:
                self._heap = [(at, timed) for timed, at in self._timers.items()]
                heapq.heapify(self._heap)

    def next_look(self) -> Instant | None:
        """When the next timer rings; None where none is set. Due keys do not wait for it."""
        while self._heap and self._timers.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    @property
    def is_due(self) -> bool:
        """Whether a key is due already."""
        return bool(self._due)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is due and nothing runs."""
        return not self._due and not self._running

    def _ring(self, now: Instant) -> None:
        look = self.next_look()
        while look is not None and look <= now:
            key = heapq.heappop(self._heap)[1]
            del self._timers[key]
            if key in self._running:
                self._running[key] = True
            else:
                self._due[key] = None
            look = self.next_look()
