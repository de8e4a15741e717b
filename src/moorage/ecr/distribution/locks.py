"""Locks by key: for the digests of blobs, and for uploads.

A push of a blob and the collector's removal of it exclude each other. The rows alone cannot keep
the two apart, since bytes come before the row and go after it: the pusher holds the digest's lock
over bytes and row, the collector over its last look, the row and the bytes.

An upload is in the hands of one request at a time. One whose client has gone is in them a moment
longer, until its last bytes are in; a client that comes back at once waits for that.

One process serves a blob store, so locks in memory suffice.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


class NotInTime(Exception):  # noqa: N818 - an expected outcome, named by its cause
    """The lock stayed in other hands for as long as the caller would wait."""


@dataclass(slots=True)
class _Held:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Locks:
    """Locks by key; one that nobody wants takes no room."""

    def __init__(self) -> None:
        """Begin with none."""
        self._held: dict[str, _Held] = {}

    @asynccontextmanager
    async def held(self, key: str, patience_seconds: float | None = None) -> AsyncIterator[None]:
        """Hold a key's lock inside the block; raises NotInTime where it does not come."""
        entry = self._held.setdefault(key, _Held())
        entry.wanted += 1
        try:
            try:
                async with asyncio.timeout(patience_seconds):
                    await entry.lock.acquire()
            except TimeoutError as error:
                raise NotInTime from error
            try:
                yield
            finally:
                entry.lock.release()
        finally:
            entry.wanted -= 1
            if not entry.wanted:
                del self._held[key]
