"""Kills a server at its commit points, one run each, and tells what came of it."""

import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.crash.database import NEVER, Moment
from tests.crash.scene import Prepared, Scene, Zygote
from tests.crash.stories import Story, conclude

MOMENTS: tuple[Moment, ...] = ("before", "after")
# Makes a database out of the one that was prepared; answers its URL. "" is SQLite.
Database = Callable[[str], str]


def sqlite(_prepared: str) -> str:
    """Nothing is to be made: the file lies in the data folder."""
    return ""


@asynccontextmanager
async def scene_of(seed: int) -> AsyncIterator[Scene]:
    """A place of its own, with a zygote."""
    with tempfile.TemporaryDirectory(prefix="moorage-crash-") as folder:
        async with aiohttp.ClientSession() as session, Zygote.started() as zygote:
            scene = Scene(zygote, Path(folder) / "data", session)
            scene.seed = seed
            try:
                yield scene
            finally:
                await scene.end()


async def prepare(story: Story, scene: Scene, database: Database) -> Prepared:
    """The state before the story's call."""
    scene.database = database("")
    await scene.start()
    await scene.add_hosts()
    await story.prepare(scene)
    return await scene.save(scene.data.with_name(f"{story.name}-{scene.seed}"))


async def count(story: Story, scene: Scene, prepared: Prepared, database: Database) -> int:
    """How many commit points the story has, from its call until nothing more happens."""
    await _begin(scene, prepared, database, NEVER, "before")
    outcome = await story.act(scene)
    await scene.quiet(story.pause_seconds)
    points = scene.points()
    await conclude(story, scene, outcome)
    await scene.end()
    return points


async def kill_at(
    story: Story, scene: Scene, prepared: Prepared, database: Database, at: tuple[int, Moment]
) -> bool:
    """Die at one point, come back, and see the story to its end; False where it was not reached."""
    await _begin(scene, prepared, database, *at)
    outcome = await story.act(scene)
    await scene.quiet(story.pause_seconds)
    died = not scene.alive()
    if not died:
        await scene.kill(signal.SIGKILL)
    await scene.start()
    await scene.connected()
    try:
        await conclude(story, scene, outcome)
    except AssertionError as failure:
        failure.add_note(f"{story.name}, killed {at[1]} commit {at[0]}, seed {scene.seed}")
        raise
    await scene.end()
    return died


async def _begin(
    scene: Scene, prepared: Prepared, database: Database, at: int, moment: Moment
) -> None:
    scene.database = database(prepared.database)
    await scene.restore(prepared)
    await scene.start(at, moment)
    await scene.connected()
    scene.arm()


def spread(points: int, count: int) -> Iterable[int]:
    """At most `count` of the numbers from 1 to `points`, the first and the last among them."""
    if points <= count:
        return range(1, points + 1)
    step = (points - 1) / (count - 1)
    return sorted({1 + round(step * number) for number in range(count)})
