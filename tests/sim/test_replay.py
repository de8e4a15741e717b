"""One seed is one run: the same trace in another process, whatever order its sets have."""

import os
import subprocess
import sys

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


def test_a_schedule_is_as_large_as_was_promised():
    for seed in range(1, 60):
        schedule = draw(seed, "chaos", SCENARIOS["chaos"])
        actors = [step.actor for step in schedule.steps]
        assert actors.count("user") >= 150
        assert actors.count("fate") >= 5
        assert 3 <= schedule.machines <= 8
        assert schedule.seconds >= 600
