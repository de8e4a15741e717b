"""Containers' output on its way from a host's link to people who read it.

A host has one link for everything, so nobody who reads slowly may hold it up: a host sends a window
of output ahead, and more as it is read. One that sends on regardless loses its reader.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from moorage.acs.messages import LogsCancel, LogsChunk, LogsMore, LogsRequest, ServerMessage

STREAMS_MAX = 32
# Little enough that a heartbeat behind it comes in time over 1 Mbit/s, for each reader.
WINDOW_CHUNKS = 8
WAITING_BYTES_MAX = 16 * 1024 * 1024
# Output that has an end comes without such a pause; what is followed may be silent for ever.
SILENCE_SECONDS_MAX = 30.0
TOO_MUCH = "the host sends more than was asked for"
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

    def __init__(self, streams: "Streams", request_id: str, *, follow: bool) -> None:
        """Begin empty."""
        self.request_id = request_id
        self._patience = None if follow else SILENCE_SECONDS_MAX
        self._streams = streams
        self._read = 0
        self._waiting: deque[LogsChunk] = deque()
        self._waiting_bytes = 0
        self._bell = asyncio.Event()
        self._over = False

    def put(self, chunk: LogsChunk) -> None:
        """Take the next piece in; where too much waits, the end, and why."""
        self._waiting_bytes += len(chunk.data or b"")
        if self._waiting_bytes > WAITING_BYTES_MAX:
            self.fail(TOO_MUCH)
            return
        self._waiting.append(chunk)
        self._bell.set()

    def fail(self, error: str) -> None:
        """Let the reader read what has come, and then why there is no more."""
        self._waiting.append(LogsChunk(request_id=self.request_id, error=error, end=True))
        self._bell.set()
        self._streams.end(self)

    def close(self) -> None:
        """The reader has left, or has read all."""
        self._over = True
        self._bell.set()
        self._streams.end(self)

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
        self._read += 1
        if self._read >= WINDOW_CHUNKS // 2:
            self._streams.more(self, self._read)
            self._read = 0
        return chunk


class Streams:
    """The outputs that one host sends, by the id of their requests."""

    __slots__ = ("_open", "_say")

    def __init__(self, say: Callable[[ServerMessage], None]) -> None:
        """Ask the host by `say`."""
        self._say = say
        self._open: dict[str, Pieces] = {}

    def open(self, request_id: str, wanted: Wanted) -> Pieces:
        """Ask for output; raises HostAway where the host sends too many already."""
        if len(self._open) >= STREAMS_MAX:
            raise HostAway(f"The host sends {STREAMS_MAX} outputs already; end one of them.")
        pieces = Pieces(self, request_id, follow=wanted.follow)
        self._open[request_id] = pieces
        self._say(
            LogsRequest(
                request_id=request_id,
                task_arn=wanted.task,
                container_name=wanted.container,
                follow=wanted.follow,
                tail_lines=wanted.tail_lines,
                window=WINDOW_CHUNKS,
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

    def more(self, pieces: Pieces, chunks: int) -> None:
        """A reader has read on: the host may send as much again."""
        if pieces.request_id in self._open:
            self._say(LogsMore(request_id=pieces.request_id, chunks=chunks))

    def end(self, pieces: Pieces) -> None:
        """Nobody takes more in: the host is told so, if it does not know."""
        if self._open.pop(pieces.request_id, None) is not None:
            self._say(LogsCancel(request_id=pieces.request_id))
