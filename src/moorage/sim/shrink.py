"""Make a failure short: leave out whatever it does not need, and tell the story of the rest.

Delta debugging (Zeller and Hildebrandt, 2002) over the steps of a schedule: halves are left out,
then quarters, and so on, for as long as the same law is broken.
"""

from collections.abc import Callable, Sequence

from moorage.ground.record import evolve
from moorage.sim.run import Verdict, failed, play
from moorage.sim.scene import Make
from moorage.sim.schedule import Schedule, Step

RUNS_MAX = 400
Told = Callable[[str], None]


def shrink(schedule: Schedule, make: Make | None = None, told: Told | None = None) -> Verdict:
    """The shortest schedule that was found to break the same law; the answer has its story.

    A world that cannot be played to its end counts as one that breaks a law of its own. Whether it
    is the same bug that breaks the law in the end, only the story tells. The schedule itself must
    break one.
    """
    first = judged(schedule, make)
    assert first.broken, "there is nothing to shrink"
    law = first.broken[0].law
    runs = 0

    def breaks(steps: Sequence[Step]) -> bool:
        nonlocal runs
        runs += 1
        verdict = judged(evolve(schedule, steps=tuple(steps)), make)
        return any(one.law == law for one in verdict.broken)

    steps: list[Step] = list(schedule.steps)
    end = first.broken[0].at / 1_000_000
    early = [step for step in steps if step.at <= end]
    if len(early) < len(steps) and breaks(early):
        steps = early
    parts = 2
    while len(steps) > 1 and runs < RUNS_MAX:
        size = max(1, len(steps) // parts)
        for start in range(0, len(steps), size):
            fewer = steps[:start] + steps[start + size :]
            if fewer and runs < RUNS_MAX and breaks(fewer):
                steps = fewer
                parts = max(parts - 1, 2)
                if told is not None:
                    told(f"{len(steps)} steps")
                break
        else:
            if size == 1:
                break
            parts = min(2 * parts, len(steps))
    return judged(evolve(schedule, steps=tuple(steps)), make, keeps_story=True)


def judged(schedule: Schedule, make: Make | None = None, *, keeps_story: bool = False) -> Verdict:
    """Play a schedule; one that fails with an exception has a verdict, too, but no story."""
    try:
        return play(schedule, make, keeps_story=keeps_story)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return failed(schedule, error)
