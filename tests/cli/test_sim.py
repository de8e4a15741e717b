"""`moorage sim`: what it prints, how it ends, and that a kept schedule is played again."""

import msgspec
from typer.testing import CliRunner

from moorage.cli.sim import app
from moorage.sim.pool import judge
from moorage.sim.scenarios import SCENARIOS
from moorage.sim.schedule import draw

SEED = 3


def run(*words):
    return CliRunner().invoke(app, list(words))


def test_a_seed_is_played_and_its_trace_told():
    done = run("--seed", str(SEED), "--scenario", "calm")
    assert done.exit_code == 0, done.output
    assert f"seed {SEED} (calm)" in done.output
    assert judge("calm", SEED).trace in done.output


def test_a_scenario_that_is_not_there_is_refused_with_those_that_are():
    done = run("--scenario", "storms")
    assert done.exit_code == 2
    assert "chaos" in done.output


def test_a_schedule_is_played_again_from_a_file(tmp_path):
    schedule = draw(SEED, "calm", SCENARIOS["calm"])
    few = msgspec.structs.replace(schedule, steps=schedule.steps[:20], seconds=60.0)
    path = tmp_path / "schedule.json"
    path.write_bytes(msgspec.json.encode(few))
    done = run("--replay", str(path))
    assert done.exit_code == 0, done.output
    assert "server starts 1" in done.output
