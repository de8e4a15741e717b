"""Many seeds on several processes: each is judged once, as it would be alone, and none ends the rest."""

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest

from moorage.sim.pool import judge, judge_all, outcome
from moorage.sim.run import FAILURE

SEEDS = range(1, 4)


def failed(error):
    played = Future()
    played.set_exception(error)
    return played


def test_each_seed_is_judged_once_and_as_it_is_alone():
    verdicts = {one.schedule.seed: one for one in judge_all("calm", SEEDS, workers=2)}
    assert sorted(verdicts) == list(SEEDS)
    assert verdicts[2].trace == judge("calm", 2).trace


def test_a_world_that_fails_is_a_verdict_that_names_its_seed_and_why():
    verdict = outcome("chaos", 42, failed(AssertionError("it spins")))
    assert verdict.schedule.seed == 42
    assert [one.law for one in verdict.broken] == [FAILURE]
    assert "it spins" in verdict.broken[0].what


def test_a_process_that_is_gone_ends_the_run():
    with pytest.raises(BrokenProcessPool):
        outcome("chaos", 42, failed(BrokenProcessPool("killed")))
