"""Containers' output on its way from a host's link to people who read it.

A host has one link for everything, so nobody who reads slowly may hold it up: what waits for a
reader is bounded, and a reader that falls too far behind is told so, and loses the rest.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from moorage.acs.messages import LogsCancel, LogsChunk, LogsRequest, ServerMessage

STREAMS_MAX = 32
WAITING_BYTES_MAX = 16 * 1024 * 1024
# Output that has an end comes without such a pause; what is followed may be silent for ever.
SILENCE_SECONDS_MAX = 30.0
TOO_SLOW = "the output came faster than it was read; ask for the last lines only (--tail)"
SILENT = "the host does not answer"


class HostAway(Exception):  # noqa: N818 - shown to people as it is
    """The host is not connected, went away, or sends too much already."""


class Wanted(Protocol):
    """Whose output is wanted."""

    @property
    def task(self) -> str:
        """The task's ARN."""
        ...

    @property
    def container(self) -> str:
        """The container's name."""
        ...

    @property
    def follow(self) -> bool:
        """Whether to go on as it comes."""
        ...

    @property
    def tail_lines(self) -> int | None:
        """How many of the last lines; None for all."""
        ...


class Pieces:
    """One reader's output: an iterator of its pieces in order, to the last."""

    def __init__(self, request_id: str, *, follow: bool, end: Callable[["Pieces"], None]) -> None:
        """Begin empty; `end` is told once no more is taken in."""
        self.request_id = request_id
        self._patience = None if follow else SILENCE_SECONDS_MAX
        self._end = end
        self._waiting: deque[LogsChunk] = deque()
        self._waiting_bytes = 0
        self._bell = asyncio.Event()
        self._over = False

    def put(self, chunk: LogsChunk) -> None:
        """Take the next piece in; where too much waits, the end, and why."""
        self._waiting_bytes += len(chunk.data or b"")
        if self._waiting_bytes > WAITING_BYTES_MAX:
            self.fail(TOO_SLOW)
            return
        self._waiting.append(chunk)
        self._bell.set()

    def fail(self, error: str) -> None:
        """Let the reader read what has come, and then why there is no more."""
        self._waiting.append(LogsChunk(request_id=self.request_id, error=error, end=True))
        self._bell.set()
        self._end(self)

    def close(self) -> None:
        """The reader has left, or has read all."""
        self._over = True
        self._bell.set()
        self._end(self)

    def __aiter__(self) -> "Pieces":
        """Iterate over itself."""
        return self

    async def __anext__(self) -> LogsChunk:
        """Wait for the next piece; an error where the host says nothing for too long."""
        while not self._waiting and not self._over:
            self._bell.clear()
            try:
                await asyncio.wait_for(self._bell.wait(), self._patience)
            except TimeoutError:
                self.fail(SILENT)
        if self._over:
            raise StopAsyncIteration
        chunk = self._waiting.popleft()
        self._waiting_bytes -= len(chunk.data or b"")
        self._over = bool(chunk.end)
        return chunk


class Streams:
    """The outputs that one host sends, by the id of their requests."""

    def __init__(self, say: Callable[[ServerMessage], None]) -> None:
        """Ask the host by `say`."""
        self._say = say
        self._open: dict[str, Pieces] = {}

    def open(self, request_id: str, wanted: Wanted) -> Pieces:
        """Ask for output; raises HostAway where the host sends too many already."""
        if len(self._open) >= STREAMS_MAX:
            raise HostAway(f"The host sends {STREAMS_MAX} outputs already; end one of them.")
        pieces = Pieces(request_id, follow=wanted.follow, end=self._ended)
        self._open[request_id] = pieces
        self._say(
            LogsRequest(
                request_id=request_id,
                task_arn=wanted.task,
                container_name=wanted.container,
                follow=wanted.follow,
                tail_lines=wanted.tail_lines,
            )
        )
        return pieces

    def take(self, chunk: LogsChunk) -> None:
        """A piece came from the host; one that nobody waits for is dropped."""
        pieces = self._open.get(chunk.request_id)
        if pieces is not None:
            if chunk.end:
                del self._open[chunk.request_id]
            pieces.put(chunk)

    def fail_all(self, error: str) -> None:
        """The host went away, and has forgotten what it was asked for."""
        while self._open:
            _, pieces = self._open.popitem()
            pieces.fail(error)

    def _ended(self, pieces: Pieces) -> None:
        """Nobody takes more in: the host is told so, if it does not know."""
        if self._open.pop(pieces.request_id, None) is not None:
            self._say(LogsCancel(request_id=pieces.request_id))
