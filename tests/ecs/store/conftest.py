"""A house in memory for each test of a store."""

import pytest

from tests.builders import EcsHouse


@pytest.fixture
def house():
    made = EcsHouse()
    yield made
    made.close()
