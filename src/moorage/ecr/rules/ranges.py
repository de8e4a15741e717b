"""Ranges of bytes, as a pull asks for them and as a chunk of a push claims them.

RFC 9110 section 14 (`Range: bytes=...`); OCI distribution specification 1.1, "Pushing a blob in
chunks" (`Content-Range: <start>-<end>`).
"""

import re

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,64}", re.ASCII)
_CONTENT_RANGE = re.compile(r"([0-9]{1,19})-([0-9]{1,19})", re.ASCII)


def byte_range(header: str, size: int) -> range | None:
    """The bytes of a blob of `size` that a Range header asks for; None where there are none.

    Several ranges in one header are answered by None too: no client of a registry asks for them.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        span = range(max(0, size - int(match[2])), size)
    else:
        last = int(match[2]) if match[2] else size - 1
        if last < int(match[1]):
            return None
        span = range(int(match[1]), min(size, last + 1))
    return span or None


def content_range(header: str) -> range | None:
    """The bytes of an upload that a chunk says it is, or None where it says nothing sound."""
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None or int(match[2]) < int(match[1]):
        return None
    return range(int(match[1]), int(match[2]) + 1)


def content_length(header: str | None) -> int | None:
    """The length that a body is said to have; None where nothing sound is said."""
    match = _LENGTH.fullmatch(header) if header is not None else None
    return int(match[0]) if match is not None else None


def held_range(offset: int) -> str:
    """The Range header of an upload of which `offset` bytes are there; `0-0` for none, by custom."""
    return f"0-{max(0, offset - 1)}"
