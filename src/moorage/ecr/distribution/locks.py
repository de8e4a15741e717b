"""A lock for each digest: a push of a blob and the collector's removal of it exclude each other.

The rows alone cannot keep the two apart, since bytes come before the row and go after it: the
pusher holds the lock over bytes and row, the collector over its last look, the row and the bytes.
One process serves a blob store, so a lock in memory suffices.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Held:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class DigestLocks:
    """Locks by digest; one that nobody wants takes no room."""

    def __init__(self) -> None:
        """Begin with none."""
        self._held: dict[str, _Held] = {}

    @asynccontextmanager
    async def held(self, digest: str) -> AsyncIterator[None]:
        """Hold the digest's lock inside the block."""
        entry = self._held.setdefault(digest, _Held())
        entry.wanted += 1
        try:
            async with entry.lock:
                yield
        finally:
            entry.wanted -= 1
            if not entry.wanted:
                del self._held[digest]
