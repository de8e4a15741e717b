"""Seed in, verdict out: one schedule is played to its end, and to the calm after it."""

import gc

from moorage.ground.record import Record
from moorage.sim.fate import Fate
from moorage.sim.faults import DISASTERS
from moorage.sim.laws import calm
from moorage.sim.laws.law import Broken
from moorage.sim.scene import Make, Scene
from moorage.sim.schedule import Schedule

# Objects between two looks for garbage: a world makes many, and lives for a second.
GARBAGE_MAX = 200_000
LOOK_SECONDS = 5.0
# What has come to rest is looked at so often again.
STABLE_LOOKS = 3
# What stands in a law's place where the simulator itself has failed.
FAILURE = "the simulator"


class Verdict(Record):
    """What came of one schedule."""

    schedule: Schedule
    broken: tuple[Broken, ...]
    trace: str
    story: tuple[str, ...]
    commits: int
    seconds: float
    turns: int


def _play(scene: Scene, fate: Fate) -> None:
    scene.open()
    for step in scene.schedule.steps:
        take = scene.users.take if step.actor == "user" else fate.take
        scene.world.after(step.at, take, step)
    scene.world.run(scene.schedule.seconds, lambda: bool(scene.broken))
    if not scene.broken:
        _calm(scene, fate)


def _calm(scene: Scene, fate: Fate) -> None:
    """After the last fault and the last user: all has to come to rest within the bound, and stay."""
    world = scene.world
    world.tell("calm")
    fate.heal()
    scene.users.begin(scene.users.tidy)
    began = ends = world.seconds
    while not scene.broken and (calm.is_moving(scene) or not calm.is_at_rest(scene)):
        # What was waited for until then needs a while after it, too.
        ends = max(ends, calm.deadline(scene, began))
        if world.seconds >= ends:
            scene.report(
                calm.LAW, "; ".join(calm.astray(scene)) or "tasks or machines move on without end"
            )
            return
        world.run(world.seconds + LOOK_SECONDS, lambda: bool(scene.broken))
    for _ in range(STABLE_LOOKS):
        world.run(world.seconds + LOOK_SECONDS, lambda: bool(scene.broken))
        if not scene.broken and not calm.is_at_rest(scene):
            scene.report(calm.LAW, "it did not last: " + "; ".join(calm.astray(scene)))
    for law in scene.laws:
        law.ended()


def play(schedule: Schedule, make: Make | None = None, *, keeps_story: bool = False) -> Verdict:
    """Play a schedule; the same one always ends in the same trace."""
    thresholds = gc.get_threshold()
    gc.set_threshold(GARBAGE_MAX)
    scene = Scene(schedule, make or Make(), keeps_story=keeps_story)
    try:
        _play(scene, Fate(scene, DISASTERS))
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
        gc.set_threshold(*thresholds)


def failed(schedule: Schedule, error: BaseException) -> Verdict:
    """The verdict on a schedule that could not be played to its end."""
    return Verdict(
        schedule=schedule,
        broken=(Broken(law=FAILURE, at=0, what=repr(error)),),
        trace="",
        story=(),
        commits=0,
        seconds=0.0,
        turns=0,
    )
