"""The only time types: integer microseconds inside, epoch seconds on Amazon's wire.

An `Instant` is a point of wall-clock time (microseconds since 1970-01-01 UTC), a `Duration` a
length of time (microseconds), a `Moment` a point on a monotonic clock (microseconds since an
unknown start), by which deadlines are judged and which never leaves the process.
"""

from datetime import UTC, datetime
from typing import NewType

Instant = NewType("Instant", int)
Duration = NewType("Duration", int)
Moment = NewType("Moment", int)

MICROSECONDS_PER_SECOND = 1_000_000


def seconds(count: float) -> Duration:
    """A duration of `count` seconds."""
    return Duration(round(count * MICROSECONDS_PER_SECOND))


def minutes(count: float) -> Duration:
    """A duration of `count` minutes."""
    return seconds(count * 60)


def hours(count: float) -> Duration:
    """A duration of `count` hours."""
    return seconds(count * 3600)


def in_seconds(duration: Duration) -> float:
    """The length of `duration` in seconds."""
    return duration / MICROSECONDS_PER_SECOND


def later(instant: Instant, duration: Duration) -> Instant:
    """The instant that lies `duration` after `instant`."""
    return Instant(instant + duration)


def earlier(instant: Instant, duration: Duration) -> Instant:
    """The instant that lies `duration` before `instant`."""
    return Instant(instant - duration)


def between(start: Instant, end: Instant) -> Duration:
    """How long it is from `start` to `end`; negative where `end` is the earlier."""
    return Duration(end - start)


def epoch(instant: Instant) -> float:
    """Epoch seconds with millisecond precision, as AWS JSON 1.1 writes timestamps."""
    return round(instant / MICROSECONDS_PER_SECOND, 3)


def maybe_epoch(instant: Instant | None) -> float | None:
    """`epoch`, with None kept."""
    return None if instant is None else epoch(instant)


def from_epoch(count: float) -> Instant:
    """The instant that lies `count` seconds after the epoch."""
    return Instant(round(count * MICROSECONDS_PER_SECOND))


def maybe_from_epoch(count: float | None) -> Instant | None:
    """`from_epoch`, with None kept."""
    return None if count is None else from_epoch(count)


def as_datetime(instant: Instant) -> datetime:
    """The instant as an aware datetime in UTC."""
    return datetime.fromtimestamp(instant / MICROSECONDS_PER_SECOND, UTC)


def from_datetime(moment: datetime) -> Instant:
    """The instant that an aware datetime names."""
    return from_epoch(moment.timestamp())


def iso(instant: Instant) -> str:
    """ISO 8601 in UTC with milliseconds: `2026-11-23T04:05:06.789Z`."""
    return as_datetime(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")
