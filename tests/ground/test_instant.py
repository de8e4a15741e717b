"""Time: whole microseconds inside, epoch seconds with three digits on Amazon's wire."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.instant import (
    Duration,
    Instant,
    as_datetime,
    between,
    earlier,
    epoch,
    from_datetime,
    from_epoch,
    hours,
    in_seconds,
    iso,
    later,
    maybe_epoch,
    maybe_from_epoch,
    minutes,
    seconds,
)

NOW = Instant(1_763_871_234_567_891)
INSTANTS = st.integers(0, 4_000_000_000_000_000).map(Instant)
DURATIONS = st.integers(-(10**14), 10**14).map(Duration)


@pytest.mark.parametrize(
    ("duration", "microseconds"),
    [
        (seconds(1), 1_000_000),
        (seconds(0.25), 250_000),
        (minutes(2), 120_000_000),
        (hours(3), 10_800_000_000),
        (hours(0.5), 1_800_000_000),
    ],
)
def test_durations_are_microseconds(duration, microseconds):
    assert duration == microseconds
    assert seconds(in_seconds(duration)) == duration


def test_the_wire_has_milliseconds():
    assert epoch(NOW) == 1763871234.568
    assert iso(NOW) == "2025-11-23T04:13:54.567Z"
    assert iso(Instant(0)) == "1970-01-01T00:00:00.000Z"


def test_nothing_stays_nothing():
    assert (maybe_epoch(None), maybe_from_epoch(None)) == (None, None)
    assert (maybe_epoch(NOW), maybe_from_epoch(1.5)) == (epoch(NOW), 1_500_000)


def test_a_datetime_and_back():
    moment = datetime(2026, 11, 23, 4, 5, 6, 789000, tzinfo=UTC)
    assert as_datetime(from_datetime(moment)) == moment


@given(INSTANTS, DURATIONS)
def test_later_and_earlier_are_inverse(instant, duration):
    assert earlier(later(instant, duration), duration) == instant
    assert between(instant, later(instant, duration)) == duration


@given(INSTANTS)
def test_the_wire_keeps_the_millisecond(instant):
    assert abs(from_epoch(epoch(instant)) - instant) <= 500


@given(INSTANTS, INSTANTS)
def test_the_wire_keeps_the_order(one, other):
    first, second = sorted((one, other))
    assert epoch(first) <= epoch(second)
    assert iso(first) <= iso(second)
