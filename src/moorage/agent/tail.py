"""The last lines of a container's output, within bounds: so many, so long, so much. Pure."""

from collections import deque
from collections.abc import Iterable

from moorage.agent.runtime.port import LogChunk, Stream
from moorage.ground.instant import Instant
from moorage.ground.record import Record

LINES_MAX = 200
LINES_BYTES_MAX = 64 * 1024
LINE_BYTES_MAX = 4 * 1024


class Line(Record):
    """One line, without its end; `cut` where it was longer."""

    stream: Stream
    text: str
    at: Instant | None = None
    cut: bool = False


class Tail:
    """Takes chunks in the order in which they were written, and keeps the end of them."""

    def __init__(self, lines_max: int = LINES_MAX, bytes_max: int = LINES_BYTES_MAX) -> None:
        """Keep at most so many lines, and so many bytes of text."""
        self._lines_max = lines_max
        self._bytes_max = bytes_max
        self._kept: deque[tuple[Line, int]] = deque()
        self._bytes = 0
        self._open: dict[Stream, tuple[bytes, Instant | None, bool]] = {}
        self.left_out = False

    def take(self, chunk: LogChunk) -> None:
        """Take in a piece of output; a line is done at its end, or at the next look."""
        *whole, rest = chunk.content.split(b"\n")
        for content in whole:
            self._add(chunk.stream, content, chunk.at)
            self._keep(chunk.stream)
        if rest:
            self._add(chunk.stream, rest, chunk.at)

    def lines(self) -> tuple[Line, ...]:
        """The last lines; those that have no end yet are ended here."""
        for stream in list(self._open):
            self._keep(stream)
        return tuple(line for line, _ in self._kept)

    def _add(self, stream: Stream, content: bytes, at: Instant | None) -> None:
        before, began, cut = self._open.get(stream, (b"", at, False))
        joined = before + content
        cut = cut or len(joined) > LINE_BYTES_MAX
        self._open[stream] = (joined[:LINE_BYTES_MAX], began, cut)

    def _keep(self, stream: Stream) -> None:
        content, at, cut = self._open.pop(stream)
        text = content.removesuffix(b"\r").decode(errors="replace")
        size = len(text.encode())
        self._kept.append((Line(stream=stream, text=text, at=at, cut=cut), size))
        self._bytes += size
        while len(self._kept) > self._lines_max or self._bytes > self._bytes_max:
            self._bytes -= self._kept.popleft()[1]
            self.left_out = True


def tail_of(chunks: Iterable[LogChunk]) -> tuple[Line, ...]:
    """The last lines of these chunks."""
    tail = Tail()
    for chunk in chunks:
        tail.take(chunk)
    return tail.lines()
