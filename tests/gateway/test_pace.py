"""Keys rest the longer, the more of the time turns take."""

import pytest

from moorage.gateway.pace import REST_SECONDS_MAX, Pace
from moorage.ground.instant import Duration, Moment, seconds


def rest_after(share: float, turn_seconds: float = 0.005, for_seconds: float = 10.0) -> float:
    """The rest after turns of one length have taken a share of the time for a while."""
    pace, at, rest = Pace(), 0.0, 0.0
    while at < for_seconds:
        at += turn_seconds / share
        rest = pace.rest_seconds(Moment(seconds(at)), seconds(turn_seconds))
    return rest


@pytest.mark.parametrize(("share", "least", "most"), [(0.01, 0, 0.005), (0.1, 0.1, 0.3)])
def test_little_rest_where_turns_take_little(share, least, most):
    assert least <= rest_after(share) <= most


def test_no_rest_is_longer_than_the_bound():
    assert rest_after(0.9) == REST_SECONDS_MAX


def test_what_was_long_ago_counts_for_nothing():
    pace = Pace()
    pace.rest_seconds(Moment(0), seconds(1))
    assert pace.rest_seconds(Moment(seconds(3600)), Duration(1000)) < 0.001


def test_a_clock_that_stands_still_does_no_harm():
    pace = Pace()
    for _ in range(100):
        assert pace.rest_seconds(Moment(5), Duration(0)) == 0.0
