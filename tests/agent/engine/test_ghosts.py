"""Ghosts are believed after two looks, told once, and never where nothing can be seen."""

import pytest

from moorage.agent.engine.ghosts import Ghosts, Sight
from moorage.ground.instant import Instant

A, B = ("a", Instant(1)), ("b", Instant(2))
THERE, GONE, UNCLEAR = Sight.THERE, Sight.GONE, Sight.UNCLEAR


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([{A: THERE, B: GONE}, {A: THERE, B: GONE}], [(), (B,)]),
        ([{A: THERE, B: GONE}, {A: THERE, B: THERE}, {A: THERE, B: GONE}], [(), (), ()]),
        ([{A: THERE, B: GONE}, {A: THERE}, {A: THERE, B: GONE}], [(), (), ()]),
        # told once, however long the engine goes on
        ([{A: THERE, B: GONE}, {A: THERE, B: GONE}, {A: THERE, B: GONE}], [(), (B,), ()]),
        # nothing of this engine was ever seen: another machine's, or another namespace's
        ([{A: GONE, B: GONE}, {A: GONE, B: GONE}, {A: GONE, B: GONE}], [(), (), ()]),
        ([{A: UNCLEAR, B: GONE}, {A: UNCLEAR, B: GONE}], [(), ()]),
        # once seen, always seen
        ([{A: THERE}, {A: GONE}, {A: GONE}], [(), (), (A,)]),
        ([{A: THERE, B: UNCLEAR}, {A: THERE, B: UNCLEAR}], [(), ()]),
        # another run of the same container is another one
        ([{A: THERE, B: GONE}, {A: THERE, ("b", Instant(9)): GONE}], [(), ()]),
    ],
)
def test_looks(looks, told) -> None:
    ghosts = Ghosts()
    assert [ghosts.look(sights) for sights in looks] == told
