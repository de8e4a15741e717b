"""What is due: changes and timers in, the next due controller keys out. Pure."""

import heapq
from collections.abc import Iterable

from moorage.ground.instant import Instant

Key = tuple[str, str]
# Timers that were set anew stay in the heap until they come up; beyond this many it is made anew.
STALE_TIMERS_MAX = 256
# So many that were woken are taken before one that has merely not been looked at since the start.
WOKEN_FOR_AN_UNSEEN = 8


class Agenda:
    """The keys of one server's controllers: which are due now, and which later.

    A key is held once however often it was woken; one that is woken while it runs becomes due
    again when it has finished, so that no change is overlooked and no key runs beside itself.
    """

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._due: dict[Key, None] = {}
        self._unseen: dict[Key, None] = {}
        self._taken_before = 0  # of those that are due, since one that is unseen was taken
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
                self._unseen.pop(key, None)

    def begin(self, keys: Iterable[Key]) -> None:
        """Take in all there is, of which nobody says that it has changed: each is due once.

        Those that were woken go before: else a change would wait until a hundred thousand tasks
        have been looked at, of which most have stopped long ago.
        """
        for key in keys:
            if key not in self._running and key not in self._due:
                self._unseen[key] = None

    def take(self, now: Instant, limit: int) -> list[Key]:
        """At most `limit` keys that are due, oldest first; each runs until `finish` is called."""
        self._ring(now)
        taken: list[Key] = []
        while len(taken) < limit and self.is_due:
            key = self._next()
            taken.append(key)
            self._timers.pop(key, None)
            self._running[key] = False
        return taken

    def _next(self) -> Key:
        """The key whose turn it is, taken out of those that wait; one waits at least."""
        is_unseens_turn = self._taken_before >= WOKEN_FOR_AN_UNSEEN or not self._due
        if is_unseens_turn and self._unseen:
            self._taken_before = 0
            waiting = self._unseen
        else:
            self._taken_before += 1
            waiting = self._due
        key = next(iter(waiting))
        del waiting[key]
        return key

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
        return bool(self._due or self._unseen)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is due and nothing runs."""
        return not self.is_due and not self._running

    def _ring(self, now: Instant) -> None:
        look = self.next_look()
        while look is not None and look <= now:
            key = heapq.heappop(self._heap)[1]
            del self._timers[key]
            self.wake((key,))
            look = self.next_look()
