"""The table of moves, its story and its bound."""

import pytest

from moorage.agent.engine.transitions import (
    ENDED,
    IN_FLIGHT,
    MOVES,
    STORY_LENGTH_MAX,
    VOIDED,
    S,
    Story,
    voided,
)
from moorage.agent.records.container import ContainerRecord
from tests.agent.engine.world import START


def test_each_status_has_a_row_and_the_end_is_the_end():
    assert set(MOVES) == set(S)
    assert MOVES[S.REMOVED] == frozenset()
    assert all(MOVES[status] <= ENDED | {S.STOPPED} for status in ENDED)


def test_each_void_is_a_legal_move():
    assert all(after in MOVES[before] for before, after in VOIDED.items())
    assert set(VOIDED) | {S.STARTING} == IN_FLIGHT


@pytest.mark.parametrize("status", list(S))
def test_a_void_takes_the_deadline(status):
    record = ContainerRecord(name="web", status=status, deadline=START)
    after = voided(record)
    assert after.status == VOIDED.get(status, status)
    assert (after.deadline is None) == (status in IN_FLIGHT)


def test_a_story_knows_the_moves_of_a_task_and_is_bounded():
    story = Story()
    waiting = ContainerRecord(name="web")
    pulling = ContainerRecord(name="web", status=S.PULLING)
    story.add("a", waiting, waiting)
    story.add("a", waiting, pulling)
    story.add("b", pulling, waiting)
    assert list(story.of("a")) == [("web", "WAITING", "PULLING")]
    assert story.count == 2
    for _ in range(STORY_LENGTH_MAX):
        story.add("a", waiting, pulling)
    assert len(story.moves) == STORY_LENGTH_MAX


def test_an_illegal_move_is_a_bug():
    ended = ContainerRecord(name="web", status=S.STOPPED)
    with pytest.raises(AssertionError, match="illegal move of web"):
        Story().add("a", ended, ContainerRecord(name="web", status=S.RUNNING))


def test_a_machine_that_chases_its_tail_is_ended():
    story = Story(moves_max=1)
    waiting = ContainerRecord(name="web")
    story.add("a", waiting, ContainerRecord(name="web", status=S.PULLING))
    with pytest.raises(AssertionError, match="more than 1 moves"):
        story.add("a", waiting, ContainerRecord(name="web", status=S.PULLING))
