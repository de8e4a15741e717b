"""What one host has said that is not kept yet: in order, bounded, and taken some at a time.

Acknowledgements are gathered for a moment: a host that was sent ten orders acknowledges each by
itself, and soon after reports most of these tasks, which says the same.
"""

import asyncio
from collections.abc import Callable
from itertools import groupby
from typing import Any

from moorage.acs.messages import AckRequest

# Beyond this no more is read from the host.
SAID_MAX = 4096
SAID_BYTES_MAX = 16 * 1024 * 1024
SAID_AT_ONCE = 64
GATHERED_SECONDS = 0.25


class Said:
    """Messages that wait to be kept, each with the size of its frame."""

    __slots__ = ("_bytes", "_gathering", "_messages", "_ring", "_room")

    def __init__(self, ring: Callable[[], None]) -> None:
        """`ring` when some are to be kept."""
        self._ring = ring
        self._messages: list[tuple[Any, int]] = []
        self._bytes = 0
        self._room: asyncio.Event | None = None
        self._gathering: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """How many wait."""
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        """Whether no more should be read."""
        return len(self._messages) >= SAID_MAX or self._bytes >= SAID_BYTES_MAX

    def add(self, message: Any, size_bytes: int) -> None:
        """A message is to be kept, at once or, where it merely acknowledges, in a moment."""
        self._messages.append((message, size_bytes))
        self._bytes += size_bytes
        if not isinstance(message, AckRequest) or len(self._messages) >= SAID_AT_ONCE:
            self._ring()
        elif self._gathering is None:
            loop = asyncio.get_running_loop()
            self._gathering = loop.call_later(GATHERED_SECONDS, self._ring)

    def portion(self) -> list[list[tuple[Any, int]]]:
        """The next ones, in order: acknowledgements that follow each other together, others alone."""
        self.close()
        taken = self._messages[:SAID_AT_ONCE]
        del self._messages[:SAID_AT_ONCE]
        if self._messages:
            self._ring()
        groups = groupby(enumerate(taken), lambda one: _group_of(*one))
        return [[said for _, said in group] for _, group in groups]

    def done(self, size_bytes: int) -> None:
        """So much was kept, or given up: there is room."""
        self._bytes -= size_bytes
        if self._room is not None:
            self._room.set()

    async def room(self) -> None:
        """Wait until more may be read."""
        while self.is_full:
            self._room = self._room or asyncio.Event()
            self._room.clear()
            await self._room.wait()

    def close(self) -> None:
        """Gather no longer."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None


def _group_of(place: int, said: tuple[Any, int]) -> int:
    """-1 for an acknowledgement, else a number that no other has."""
    return -1 if isinstance(said[0], AckRequest) else place
