"""Many seeds on several processes: each is judged once, as it would be alone, and none ends the rest."""

import subprocess
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from moorage.sim.pool import judge, judge_all, outcome
from moorage.sim.run import FAILURE
from tests.clients.processes import MOORAGE, until

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


def session(leader):
    """The processes of a session that have not ended."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, number = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(number) == leader and state != "Z":
            found.add(int(folder.name))
    return found


def test_a_run_that_is_killed_leaves_no_process_behind():
    command = [*MOORAGE, "sim", "--seeds", "50", "--scenario", "calm"]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL) as run:
        until(lambda: len(session(run.pid)) > 3, 20, "its processes are there")
        run.kill()
    until(lambda: not session(run.pid), 20, "all are gone", lambda: session(run.pid))
