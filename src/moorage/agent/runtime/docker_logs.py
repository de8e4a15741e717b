"""A container's output as Docker streams it: frames where it has two streams, raw with a terminal.

Docker Engine API, "ContainerAttach", section "Stream format": each frame has a header of eight
bytes, the first names the stream, the last four the length. We ask for timestamps and take them
off again.
"""

import re
import struct
from collections.abc import AsyncIterator

import aiohttp

from moorage.agent.runtime.docker_records import instant_of
from moorage.agent.runtime.port import EngineUnavailable, LogChunk, LogRequest, Stream
from moorage.ground.instant import MICROSECONDS_PER_SECOND, Instant

FRAME_BYTES_MAX = 1 << 20  # the engine itself cuts lines at 16 KiB
_HEADER = struct.Struct(">BxxxI")
_STREAMS: dict[int, Stream] = {0: "stdout", 1: "stdout", 2: "stderr"}
_STAMP = re.compile(rb"([0-9T:.Z+-]{20,35}) ")


def query(request: LogRequest) -> dict[str, str]:
    """The query of `GET /containers/ID/logs`."""
    wanted = {"stdout": "1", "stderr": "1", "timestamps": "1"}
    wanted["follow"] = "1" if request.follow else "0"
    wanted["tail"] = "all" if request.tail is None else str(request.tail)
    for name, bound in (("since", request.since), ("until", request.until)):
        if bound is not None:
            wanted[name] = _stamp(bound)
    return wanted


async def framed(reader: aiohttp.StreamReader) -> AsyncIterator[LogChunk]:
    """The chunks of a multiplexed stream."""
    pending = b""
    async for piece in reader.iter_any():
        pending += piece
        start = 0
        while len(pending) - start >= _HEADER.size:
            stream, length = _HEADER.unpack_from(pending, start)
            if stream not in _STREAMS or length > FRAME_BYTES_MAX:
                raise EngineUnavailable("the engine's log stream is out of step")
            begin, end = start + _HEADER.size, start + _HEADER.size + length
            if len(pending) < end:
                break
            yield _chunk(_STREAMS[stream], pending[begin:end])
            start = end
        pending = pending[start:]


async def raw(reader: aiohttp.StreamReader) -> AsyncIterator[LogChunk]:
    """The chunks of a terminal's stream, a line each."""
    pending = b""
    async for piece in reader.iter_any():
        pending += piece
        *whole, pending = pending.split(b"\n")
        for line in whole:
            yield _chunk("stdout", line + b"\n")
        if len(pending) > FRAME_BYTES_MAX:
            yield _chunk("stdout", pending)
            pending = b""
    if pending:
        yield _chunk("stdout", pending)


def _chunk(stream: Stream, content: bytes) -> LogChunk:
    match = _STAMP.match(content)
    at = instant_of(match[1].decode("ascii")) if match else None
    if match is None or at is None:
        return LogChunk(stream=stream, content=content)
    return LogChunk(stream=stream, content=content[match.end() :], at=at)


def _stamp(instant: Instant) -> str:
    whole, rest = divmod(max(instant, 0), MICROSECONDS_PER_SECOND)
    return f"{whole}.{rest * 1000:09d}"
