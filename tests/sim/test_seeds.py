"""Seeds: those that once failed, each with its story, and a hundred more of every kind of disaster.

A world is drawn from its seed alone, so what a seed tells changes with every change of the code
below it: the story of an old one is kept by the table or the law that it led to, which is named.
"""

import pytest

from moorage.sim.pool import judge, judge_all

# (scenario, seed): what it found when it was new, and where the story is told for good.
STORIES = {
    # A host told that a task had STOPPED, and lost its power a moment later: the record of the end
    # was not forced to the disk, and after the boot the task was run again. Since then whoever says
    # STOPPED has it on the disk (agent/engine/submissions.py; tests/agent/engine).
    ("chaos", 23),
    # A host's clock was six minutes ahead: no crash counted as a failed start, and a service started
    # three tasks a second (ecs/rules/deployment/backoff.py; tests .../test_backoff.py).
    ("chaos", 30),
    # A service was removed by force while a host of its was cut off, and made again under its name
    # before that host came back: what it left behind is not the new one's.
    ("chaos", 115),
    # A token of CreateService lives as long as its service: made again, the name is free.
    ("chaos", 42),
    # A machine of a pool was gone, and made anew under its name: as the host that it took the place
    # of it was told of all tasks of that one, and ran again what had been replaced elsewhere
    # (ecs/operations/registration.py; tests/ecs/operations/test_registration.py).
    ("pools", 5),
    ("pools", 11),
    # An agent went away while its handshake was being verified, and the greeting that nobody took was
    # a failure of the server's (gateway/agents.py).
    ("chaos", 1975496819),
    # A task was told to stop when its container was made and not yet started; later its agent lost
    # its records, found that container, and started it (agent/engine/adoption.py; tests .../test_looks).
    ("joins", 9003081),
    # A task whose host was drained was stopped while its successor was not healthy yet, and was told
    # to have moved (ecs/rules/deployment/relocation.py).
    ("pools", 9001117),
}
HUNDRED = range(1001, 1101)


@pytest.mark.parametrize(("scenario", "seed"), sorted(STORIES))
def test_what_was_found_once_stays_mended(scenario, seed):
    assert judge(scenario, seed).broken == ()


def test_a_hundred_worlds_keep_every_law():
    broken = [
        (verdict.schedule.seed, verdict.broken)
        for verdict in judge_all("chaos", HUNDRED)
        if verdict.broken
    ]
    assert broken == []
