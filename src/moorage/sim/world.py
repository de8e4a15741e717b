"""Virtual time, one queue of what happens, one source of chance, and a trace of it all.

Everything that ever runs is taken from here, in order of time and, within one instant, in the order
in which it was asked for. So one seed is one run, to the last byte of its trace.
"""

import heapq
from asyncio.events import _set_running_loop
from collections import deque
from collections.abc import Callable
from hashlib import blake2b

from moorage.ground.chance import SeededChance
from moorage.ground.instant import MICROSECONDS_PER_SECOND, Duration, Instant, Moment
from moorage.sim.loop import Handle, Process

# 2026-01-01T00:00:00Z: when every simulated world begins.
BEGINNING = Instant(1_767_225_600_000_000)
# A machine was started so long before the world began; its monotonic clocks begin there.
UPTIME = 1_000 * MICROSECONDS_PER_SECOND
TURNS_AT_ONE_INSTANT_MAX = 200_000
PPM = 1_000_000


class Spinning(AssertionError):  # noqa: N818 - a bug of ours, by its name
    """Something goes on without end at one instant of virtual time."""


class World:
    """The time, the queue, the chance and the trace."""

    def __init__(self, seed: int, *, keeps_story: bool = False) -> None:
        """Begin at time 0; `keeps_story` keeps every line of the trace, not only its hash."""
        self.now = 0
        self.chance = SeededChance(seed)
        self.ready: deque[Handle] = deque()
        self.story: list[str] | None = [] if keeps_story else None
        self.failures: list[tuple[str, str, BaseException | None]] = []
        self.turns = 0
        self.tasks = 0
        self._running: Process | None = None
        self._heap: list[tuple[int, int, Handle]] = []
        self._serial = 0
        self._hash = blake2b(digest_size=16)
        self.nature = Process(self, "nature")

    # --- time ------------------------------------------------------------------------------------

    def later(self, delay: int, handle: Handle) -> None:
        """Run a handle after `delay` microseconds."""
        self._serial += 1
        handle.at = self.now + delay
        heapq.heappush(self._heap, (handle.at, self._serial, handle))

    def after(self, delay: float, act: Callable[..., object], *with_what: object) -> Handle:
        """Let something happen, of no process, after `delay` seconds."""
        handle = Handle(self.nature, act, with_what, None)
        self.later(round(delay * MICROSECONDS_PER_SECOND), handle)
        return handle

    @property
    def seconds(self) -> float:
        """How long the world has been going."""
        return self.now / MICROSECONDS_PER_SECOND

    def run(self, until: float, over: Callable[[], bool] | None = None) -> None:
        """Let time pass up to `until` seconds, or up to the instant after which it is `over`."""
        end = round(until * MICROSECONDS_PER_SECOND)
        try:
            self._drain()
            while (over is None or not over()) and self._advance(end):
                self._drain()
        finally:
            self.nobody_runs()

    def _advance(self, end: int) -> bool:
        """Go on to the next instant at which something is due; False where that is after `end`."""
        heap = self._heap
        while heap and heap[0][2].gone:
            heapq.heappop(heap)
        if not heap or heap[0][0] > end:
            self.now = max(self.now, end)
            return False
        self.now = heap[0][0]
        while heap and heap[0][0] == self.now:
            self.ready.append(heapq.heappop(heap)[2])
        return True

    def _drain(self) -> None:
        """Run all that is ready, and all that becomes ready by it."""
        ready = self.ready
        turns = 0
        while ready:
            handle = ready.popleft()
            home = handle.home
            if handle.gone or home.dead:
                continue
            if home.stopped:
                home.hold(handle)
                continue
            if home is not self._running:
                self._running = home
                _set_running_loop(home.loop)
            if handle.scene is None:
                handle.act(*handle.with_what)
            else:
                handle.scene.run(handle.act, *handle.with_what)
            turns += 1
            if turns > TURNS_AT_ONE_INSTANT_MAX:
                raise Spinning(f"{home.name} spins: {handle.act}")
        self.turns += turns

    def nobody_runs(self) -> None:
        """The next callback enters its process anew."""
        self._running = None
        _set_running_loop(None)

    def process(self, name: str) -> Process:
        """A new process."""
        return Process(self, name)

    @property
    def waiting(self) -> int:
        """How much waits for its time."""
        return sum(not handle.gone for _, _, handle in self._heap)

    # --- trace -----------------------------------------------------------------------------------

    def tell(self, *words: object) -> None:
        """Add a line to the trace."""
        line = f"{self.now / MICROSECONDS_PER_SECOND:10.6f} {' '.join(map(str, words))}"
        self._hash.update(line.encode())
        if self.story is not None:
            self.story.append(line)

    @property
    def trace(self) -> str:
        """The hash of all that was told."""
        return self._hash.hexdigest()

    def failed(self, where: str, what: str, error: BaseException | None = None) -> None:
        """Note a failure of ours."""
        self.tell("FAILURE", where, what, repr(error) if error else "")
        self.failures.append((where, what, error))

    def chance_of(self, name: str) -> SeededChance:
        """A source of chance of one's own, so that one part draws nothing from another's."""
        digest = blake2b(name.encode(), digest_size=8).digest()
        return SeededChance(int.from_bytes(digest, "big") ^ int(self.chance.hex(16), 16))

    def close(self) -> None:
        """Forget everything that is still to come."""
        self._heap.clear()
        self.ready.clear()
        _set_running_loop(None)


class SkewedClock:
    """Port Clock of one machine: its wall clock is off by so much, and drifts."""

    def __init__(self, world: World, drift_ppm: int = 0) -> None:
        """Count the world's time, wrongly."""
        self._world = world
        self.offset = Duration(0)
        self.drift_ppm = drift_ppm
        self._booted = 0

    def _elapsed(self) -> int:
        now = self._world.now
        return now + now * self.drift_ppm // PPM

    def now(self) -> Instant:
        """The wall clock."""
        return Instant(BEGINNING + self._elapsed() + self.offset)

    def monotonic(self) -> Moment:
        """Time since the machine was started."""
        return Moment(self._elapsed() + UPTIME - self._booted)

    def boottime(self) -> Moment:
        """The same: no simulated machine sleeps."""
        return self.monotonic()

    def jump(self, by: Duration) -> None:
        """Set the wall clock, as an operator or NTP does."""
        self.offset = Duration(self.offset + by)

    def boot(self) -> None:
        """The machine starts again: its monotonic clocks begin anew."""
        self._booted = self._elapsed() + UPTIME - MICROSECONDS_PER_SECOND
