"""A rig with three hosts, and one with none."""

from collections.abc import Iterator

import pytest

from tests.ecs.controllers.rig import Rig


@pytest.fixture
def bare() -> Iterator[Rig]:
    """A control plane without hosts."""
    rig = Rig()
    yield rig
    rig.house.close()


@pytest.fixture
def rig(bare: Rig) -> Rig:
    """A control plane with the hosts a, b and c; each has room for five of `define`'s tasks."""
    for name in ("a", "b", "c"):
        bare.host(name)
    return bare
