"""Starts at once, bounded for the engine: agents that share one engine share its slots.

A slot is a lock on a file that is named by the engine's own id, so that it does not matter who
started which agent; the kernel gives a slot back when its holder dies. An engine is saturated by a
few starts at once; more only make each wait for the others.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.instant import Duration, Instant, between, in_seconds, later, seconds

SLOTS_MIN = 4
SLOTS_PER_CORE = 2
# How often the slots of neighbours are tried; nobody says when they are given back.
POLL_SECONDS = (0.002, 0.008)
# A neighbour that hangs with a slot in its hand must not stop this host: after so long the start
# goes ahead without one.
SLOT_WAIT_MAX: Duration = seconds(60)
FOLDER_MODE = 0o700


def slots_for(cpus: int) -> int:
    """How many starts at once suit an engine on so many cores."""
    return max(SLOTS_MIN, SLOTS_PER_CORE * cpus)


class Slots:
    """The right to start a container now; first come, first served within one agent."""

    def __init__(
        self, folder: Path, engine_id: str, count: int, clock: Clock, chance: Chance
    ) -> None:
        """Use `count` slots in `folder`, which is made if it is not there. Raises OSError."""
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() else "-" for c in engine_id)
        self._files = [
            os.open(folder / f"starts-{name}-{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            for number in range(count)
        ]
        self._free = list(self._files)
        self._turn = asyncio.Lock()
        self._given_back = asyncio.Event()
        self._clock = clock
        self._chance = chance

    def close(self) -> None:
        """Give all slots back."""
        for file in self._files:
            os.close(file)
        self._files.clear()
        self._free.clear()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[bool]:
        """Wait for a slot and hold it; False where it goes ahead without one, after a minute."""
        file = await self._take()
        try:
            yield file is not None
        finally:
            if file is not None and file in self._files:
                fcntl.flock(file, fcntl.LOCK_UN)
                self._free.append(file)
                self._given_back.set()

    async def _take(self) -> int | None:
        # Only the first of those who wait looks at the files; the others wait for their turn.
        async with self._turn:
            deadline = later(self._clock.now(), SLOT_WAIT_MAX)
            while self._clock.now() < deadline:
                self._given_back.clear()
                for file in self._chance.shuffled(self._free):
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        continue
                    self._free.remove(file)
                    return file
                await self._pause(deadline)
            return None

    async def _pause(self, deadline: Instant) -> None:
        """Wait until a start of ours is over; where neighbours hold slots, for a moment at most."""
        left_seconds = max(in_seconds(between(self._clock.now(), deadline)), 0.0)
        moment_seconds = self._chance.uniform(*POLL_SECONDS) if self._free else left_seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(moment_seconds):
                await self._given_back.wait()
