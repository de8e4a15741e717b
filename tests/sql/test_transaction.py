import pytest

from moorage.ground.chance import SeededChance
from moorage.ground.fault import Unavailable
from moorage.sql.transaction import (
    ATTEMPTS_MAX,
    BACKOFF_SECONDS_MAX,
    Conflict,
    attempt,
    backoffs,
)


def test_pauses_grow_and_are_bounded():
    pauses = list(backoffs(SeededChance(3)))
    assert len(pauses) == ATTEMPTS_MAX - 1
    assert 0 < pauses[0] < pauses[4] < pauses[-1] <= BACKOFF_SECONDS_MAX
    assert sum(pauses) < 3.5


def test_pauses_differ_between_two_that_collided():
    assert list(backoffs(SeededChance(1))) != list(backoffs(SeededChance(2)))


@pytest.mark.parametrize("races", [0, 1, ATTEMPTS_MAX - 1])
def test_is_tried_until_it_gets_through(races: int):
    waited: list[float] = []

    def once() -> str:
        if len(waited) < races:
            raise Conflict
        return "done"

    assert attempt(once, SeededChance(1), waited.append) == "done"
    assert len(waited) == races


def test_gives_up_with_what_the_last_conflict_says():
    tries: list[int] = []

    def once() -> None:
        tries.append(1)
        raise Conflict("raced", KeyError("final"))

    with pytest.raises(KeyError, match="final"):
        attempt(once, SeededChance(1), lambda _: None)
    assert len(tries) == ATTEMPTS_MAX


def test_a_conflict_ends_as_unavailable_where_it_says_nothing():
    assert isinstance(Conflict().outcome, Unavailable)


def test_other_errors_are_not_tried_again():
    tries: list[int] = []

    def once() -> None:
        tries.append(1)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - any
        attempt(once, SeededChance(1), lambda _: None)
    assert tries == [1]
