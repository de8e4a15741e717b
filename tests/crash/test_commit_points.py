"""A server killed at commit points: nothing acknowledged is lost, nothing happens twice (F01)."""

import asyncio

import pytest

from tests.crash.stories import STORIES, Story
from tests.crash.sweep import MOMENTS, count, kill_at, prepare, scene_of, spread, sqlite

POINTS_EACH = 3


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_server_killed_at_a_commit_loses_nothing(story: Story):
    async def sample() -> None:
        async with scene_of(seed=1) as scene:
            prepared = await prepare(story, scene, sqlite)
            points = await count(story, scene, prepared, sqlite)
            assert points >= POINTS_EACH
            died = [
                await kill_at(story, scene, prepared, sqlite, (number, moment))
                for number in spread(points, POINTS_EACH)
                for moment in MOMENTS
            ]
            assert any(died)

    asyncio.run(sample())
