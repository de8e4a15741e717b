"""Clocks: the machine's, and the one that tests move by hand."""

import time

import pytest

from moorage.ground.clock import MANUAL_START, ManualClock, SystemClock
from moorage.ground.instant import Duration, Instant, seconds


def test_the_system_clock_is_the_machines():
    clock = SystemClock()
    before = time.time_ns() // 1000
    assert before <= clock.now() <= time.time_ns() // 1000
    first = clock.monotonic()
    assert first <= clock.monotonic() <= time.monotonic_ns() // 1000


def test_time_since_boot_is_the_machines_own():
    first = SystemClock().boottime()
    assert first <= SystemClock().boottime()
    assert first <= time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
    manual = ManualClock()
    manual.advance(seconds(3))
    manual.jump(seconds(60))
    assert manual.boottime() == manual.monotonic() == 3_000_000


def test_a_manual_clock_stands_still_until_it_is_moved():
    clock = ManualClock()
    assert (clock.now(), clock.monotonic()) == (MANUAL_START, 0)
    assert (clock.now(), clock.monotonic()) == (MANUAL_START, 0)
    clock.advance(seconds(2))
    assert (clock.now(), clock.monotonic()) == (MANUAL_START + 2_000_000, 2_000_000)


@pytest.mark.parametrize("jump", [seconds(3600), seconds(-3600)])
def test_a_jump_moves_the_wall_clock_alone(jump):
    clock = ManualClock(Instant(10**15))
    clock.jump(jump)
    assert (clock.now(), clock.monotonic()) == (10**15 + jump, 0)


def test_a_monotonic_clock_never_goes_back():
    with pytest.raises(AssertionError, match="never goes back"):
        ManualClock().advance(Duration(-1))
