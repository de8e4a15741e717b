"""Ranges of pulls and chunks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecr.rules.ranges import byte_range, content_length, content_range, held_range


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        ("bytes=0-9", 100, range(10)),
        ("bytes=90-", 100, range(90, 100)),
        ("bytes=90-1000", 100, range(90, 100)),
        ("bytes=-10", 100, range(90, 100)),
        ("bytes=-1000", 100, range(100)),
        ("bytes=0-0", 1, range(1)),
        ("bytes=-0", 100, None),
        ("bytes=100-", 100, None),
        ("bytes=5-4", 100, None),
        ("bytes=0-", 0, None),
        ("bytes=-", 100, None),
        ("bytes=a-b", 100, None),
        ("bytes=0-1,3-4", 100, None),
        ("lines=0-1", 100, None),
        ("bytes=" + "9" * 20 + "-", 100, None),
        ("bytes=٠-٩", 100, None),
    ],
)
def test_byte_ranges(header, size, expected):
    assert byte_range(header, size) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("0-9", range(10)),
        ("5-5", range(5, 6)),
        ("9-5", None),
        ("bytes 0-9/10", None),
        ("0-", None),
        ("-1-5", None),
        ("1" * 20 + "-5", None),
    ],
)
def test_content_ranges(header, expected):
    assert content_range(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, None), ("0", 0), ("12", 12), ("", None), ("-1", None), ("x", None), ("٣", None)],
)
def test_content_lengths(header, expected):
    assert content_length(header) == expected


@pytest.mark.parametrize(("offset", "expected"), [(0, "0-0"), (1, "0-0"), (10, "0-9")])
def test_what_is_held(offset, expected):
    assert held_range(offset) == expected


@given(st.text(max_size=60) | st.from_regex(r"bytes=[0-9]*-[0-9]*", fullmatch=True), st.integers(0))
def test_a_range_lies_within_the_blob(header, size):
    span = byte_range(header, size)
    assert span is None or (0 <= span.start < span.stop <= size)
