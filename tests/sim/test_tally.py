"""What a long run says of itself: how far it is, how long it will take, and which seeds failed."""

import pytest

from moorage.ground.instant import minutes, seconds
from moorage.sim.laws.law import Broken
from moorage.sim.run import Verdict
from moorage.sim.schedule import Schedule
from moorage.sim.tally import SEEDS_SHOWN_MAX, Tally


def verdict(seed, *, fails=False):
    return Verdict(
        schedule=Schedule(seed=seed, scenario="calm", machines=3, steps=()),
        broken=(Broken(law="I4 calm", at=1, what="it did not last"),) if fails else (),
        trace="",
        story=(),
        commits=7,
        seconds=600.0,
        turns=1,
    )


@pytest.mark.parametrize(
    ("total", "done", "failed", "spent", "told"),
    [
        (100, 0, 0, seconds(0), "0/100 schedules, 0 failed, 0 a minute"),
        (100, 20, 1, minutes(2), "20/100 schedules, 1 failed, 10 a minute, 8 min left"),
        (100, 90, 0, minutes(1), "90/100 schedules, 0 failed, 90 a minute, 7 s left"),
        (100, 100, 2, minutes(4), "100/100 schedules, 2 failed, 25 a minute"),
    ],
)
def test_a_line_says_how_far_it_is(total, done, failed, spent, told):
    tally = Tally(total)
    for seed in range(done):
        tally.add(verdict(seed, fails=seed < failed))
    assert tally.told(spent) == told


def test_the_seeds_that_failed_are_named_at_the_end_in_their_order():
    tally = Tally(3)
    for seed in (9, 3, 5):
        tally.add(verdict(seed, fails=seed != 5))
    assert tally.summary() == "21 commits; failed: seed 3 9"


def test_of_many_failures_the_first_are_named():
    tally = Tally(100)
    for seed in range(SEEDS_SHOWN_MAX + 1):
        tally.add(verdict(seed, fails=True))
    assert tally.summary().endswith(" 19, and more")
