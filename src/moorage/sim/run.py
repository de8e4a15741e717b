"""Seed in, verdict out: one schedule is played to its end, and to the calm after it."""

from moorage.ground.record import Record
from moorage.sim.laws.law import Broken
from moorage.sim.scene import Make, Scene
from moorage.sim.schedule import Schedule

STABLE_SECONDS = 15.0
CALM_SECONDS_MAX = 600.0
LOOK_SECONDS = 5.0


class Verdict(Record):
    """What came of one schedule."""

    schedule: Schedule
    broken: tuple[Broken, ...]
    trace: str
    story: tuple[str, ...]
    commits: int
    seconds: float
    turns: int


def play(schedule: Schedule, make: Make | None = None, *, keeps_story: bool = False) -> Verdict:
    """Play a schedule; the same one always ends in the same trace."""
    scene = Scene(schedule, make or Make(), keeps_story=keeps_story)
    try:
        scene.open()
        for step in schedule.steps:
            if step.actor == "user":
                scene.world.after(step.at, scene.users.take, step)
        scene.world.run(schedule.seconds)
        return Verdict(
            schedule=schedule,
            broken=tuple(scene.broken),
            trace=scene.world.trace,
            story=tuple(scene.world.story or ()),
            commits=scene.plane.commits,
            seconds=scene.world.seconds,
            turns=scene.world.turns,
        )
    finally:
        scene.close()
