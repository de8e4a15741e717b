"""A server killed at every commit point of seven stories: what was lost, and what broke.

`--rounds` is the number of seeds. Points are found by counting the commits that follow the story's
call; each is died at twice, before the COMMIT and after it. A run that fails is counted and shown.
"""

import asyncio
import time

from stage import record, table
from tests.crash.database import Moment
from tests.crash.scene import Prepared, Scene
from tests.crash.stories import STORIES, Story
from tests.crash.sweep import MOMENTS, count, kill_at, prepare, scene_of, sqlite

MISSED_MAX = 2  # points in a row that were not reached: the story has no more


def measure(rounds: int) -> None:
    """Run the sweep and print its figures."""
    rows = []
    totals = {"points": 0, "kills": 0, "lost": 0, "broken": 0}
    for story in STORIES:
        began = time.perf_counter()
        figures = {"points": 0, "kills": 0, "lost": 0, "broken": 0}
        for seed in range(1, rounds + 1):
            asyncio.run(_sweep(story, seed, figures))
        spent = time.perf_counter() - began
        rows.append((story.name, *figures.values(), f"{spent:.0f} s"))
        print(rows[-1], flush=True)
        for name, value in figures.items():
            totals[name] += value
    columns = ("story", "points", "kills", "acknowledged writes lost", "invariants broken", "took")
    title = f"Server killed at every commit point, {rounds} seeds, before and after each COMMIT"
    table(title, columns, [*rows, ("all", *totals.values(), "")])
    record("crash", {"seeds": rounds, **totals})


async def _sweep(story: Story, seed: int, figures: dict[str, int]) -> None:
    async with scene_of(seed) as scene:
        prepared = await prepare(story, scene, sqlite)
        figures["points"] += await count(story, scene, prepared, sqlite)
        number = missed = 0
        while missed < MISSED_MAX:
            number += 1
            died = False
            for moment in MOMENTS:
                died |= await _once(story, scene, prepared, (number, moment), figures)
            missed = 0 if died else missed + 1


async def _once(
    story: Story, scene: Scene, prepared: Prepared, at: tuple[int, Moment], figures: dict[str, int]
) -> bool:
    try:
        died = await kill_at(story, scene, prepared, sqlite, at)
    except AssertionError as failure:
        figures["lost" if "acknowledged write" in str(failure) else "broken"] += 1
        print(f"{story.name} seed {scene.seed} {at}: {str(failure)[:2000]}", flush=True)
        await scene.end()
        died = True
    figures["kills"] += died
    return died
