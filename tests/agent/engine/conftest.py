"""A host for each test, which must be sound when the test ends."""

import pytest

from tests.agent.engine.world import World


@pytest.fixture
def world():
    """A host whose agent has begun and looked; its invariants hold when the test is over."""
    host = World()
    host.run()
    yield host
    host.check()
    stored = set(host.disk)
    assert stored == {task.arn for task in host.engine.tasks()}, "the disk lags behind"
