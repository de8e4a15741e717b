"""The laws are sharp: each planted bug is found, by the law that it breaks, in one short run."""

import pytest

from moorage.sim.run import play
from moorage.sim.scenarios import SCENARIOS
from moorage.sim.schedule import draw
from moorage.sim.shrink import shrink
from tests.sim import planted, planted_scheduler

# Most are found by the first; which one it is changes with the code.
SEEDS_MAX = 60
CHAOS = SCENARIOS["chaos"]
BUGS = {**planted.BUGS, **planted_scheduler.BUGS}
# The first law that notices may be a neighbour of the one that is broken at heart.
ALSO = {
    "a lost wake-up": {"I3 engines", "I5 lineage", "waiting"},
    "a stop that did not happen": {"I5 lineage"},
    "a double start": {"I3 engines"},
    "an order to the wrong host": {"I4 calm"},
    "a task that waits for ever": {"I4 calm"},
    "a move that stops first": {"I3 percent"},
}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name):
    law, make = BUGS[name]
    verdicts = (play(draw(seed, "chaos", CHAOS), make) for seed in range(1, SEEDS_MAX + 1))
    verdict = next((one for one in verdicts if one.broken), None)
    assert verdict is not None, f"{name}: nobody noticed"
    assert verdict.broken[0].law in {law, *ALSO.get(name, ())}, verdict.broken[0]


def test_a_failure_is_shrunk_to_few_steps_and_told():
    _, make = BUGS["a double start"]
    schedule = draw(1, "calm", SCENARIOS["calm"])
    law = play(schedule, make).broken[0].law
    verdict = shrink(schedule, make)
    assert law in {one.law for one in verdict.broken}
    assert len(verdict.schedule.steps) <= 8 < len(schedule.steps)
    assert any(law in line for line in verdict.story)
    again = play(verdict.schedule, make)
    assert again.trace == verdict.trace
