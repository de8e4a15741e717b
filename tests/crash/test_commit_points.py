"""A server killed at commit points: nothing acknowledged is lost, nothing happens twice (F01)."""

import asyncio

import pytest

from tests.crash.stories import STORIES, Story
from tests.crash.sweep import (
    MOMENTS,
    Database,
    count,
    kill_at,
    prepare,
    scene_of,
    spread,
    sqlite,
)
from tests.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]

POINTS_EACH = (
    4  # of each story, by turns before and after the COMMIT; all of them: benches/crash.py
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_server_killed_at_a_commit_loses_nothing(story: Story):
    async def sample() -> None:
        async with scene_of(seed=1) as scene:
            prepared = await prepare(story, scene, sqlite)
            points = await count(story, scene, prepared, sqlite)
            assert points >= POINTS_EACH
            died = [
                await kill_at(story, scene, prepared, sqlite, (number, MOMENTS[turn % 2]))
                for turn, number in enumerate(spread(points, POINTS_EACH))
            ]
            assert any(died)

    asyncio.run(sample())


@pytest.mark.postgres
@pytest.mark.parametrize("story", STORIES[1:3], ids=lambda story: story.name)
def test_nor_does_one_on_postgresql(story: Story, postgres_server: PostgresServer):
    async def sample() -> None:
        async with scene_of(seed=1) as scene:
            copied = copies_of(postgres_server)
            prepared = await prepare(story, scene, copied)
            points = await count(story, scene, prepared, copied)
            for moment in MOMENTS:
                await kill_at(story, scene, prepared, copied, ((points + 1) // 2, moment))

    asyncio.run(sample())


def copies_of(server: PostgresServer) -> Database:
    """Each run has a database of its own, made of the one that was prepared."""

    def made(prepared: str) -> str:
        template = prepared.partition("///")[2].partition("?")[0]
        return server.create(template or "template0")

    return made
