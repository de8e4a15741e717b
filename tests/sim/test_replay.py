"""One seed is one run: the same trace in another process, whatever order its sets have."""

import os
import subprocess
import sys

import pytest

from moorage.sim.faults import DISASTERS
from moorage.sim.scenarios import SCENARIOS
from moorage.sim.schedule import draw

PROGRAM = """
from moorage.sim.pool import judge
verdict = judge("chaos", 5)
print(verdict.trace, verdict.commits, len(verdict.broken))
"""


def _played(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def test_a_seed_is_one_trace_under_any_hash_seed():
    first, second = _played("0"), _played("77")
    assert first == second
    assert int(first.split()[1]) > 300


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "calm"])
def test_a_schedule_is_as_large_as_was_promised(name):
    for seed in range(1, 60):
        schedule = draw(seed, name, SCENARIOS[name])
        actors = [step.actor for step in schedule.steps]
        assert actors.count("user") >= 150
        assert actors.count("fate") >= 5
        assert 3 <= schedule.machines <= 8
        assert schedule.seconds >= 600


def test_whatever_may_go_wrong_goes_wrong_somewhere():
    wanted = {name for scenario in SCENARIOS.values() for name in scenario.faults}
    assert wanted == set(DISASTERS)
    assert wanted - set(SCENARIOS["chaos"].faults) == {"rejoin"}
