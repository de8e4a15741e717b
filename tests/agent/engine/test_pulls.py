"""Pulls: once for all, tried again with growing waits, given up after five."""

import pytest

from moorage.agent.engine.instructions import PullImage
from moorage.agent.engine.pulls import PULL_DEADLINE, Pulls
from moorage.agent.records.image import ImageRecord
from moorage.ground.instant import Instant, later, seconds
from tests.agent.engine.world import START

A = PullImage(image="a")
WANTED = frozenset({"a"})


def after(count: float) -> Instant:
    return later(START, seconds(count))


@pytest.fixture
def pulls() -> Pulls:
    pulls = Pulls()
    assert pulls.want("a", None, START) == A
    return pulls


def test_one_pull_serves_all(pulls):
    assert pulls.want("a", None, START) is None
    assert pulls.again(START, WANTED) == []


def test_tries_wait_longer_and_end(pulls):
    at = 0.0
    for wait in (1, 2, 4, 8):
        assert pulls.failed("a", transient=True, now=after(at))
        assert pulls.failed("a", transient=True, now=after(at)), "a second word on the same try"
        at += wait
        assert pulls.next_due() == after(at)
        assert pulls.again(after(at - 0.1), WANTED) == []
        assert pulls.again(after(at), WANTED) == [A]
    assert not pulls.failed("a", transient=True, now=after(at))
    assert pulls.want("a", None, START) == A


def test_what_will_not_help_is_not_tried_again(pulls):
    assert not pulls.failed("a", transient=False, now=START)
    assert not pulls.failed("a", transient=True, now=START)


def test_a_pull_that_nobody_wants_any_more_is_dropped(pulls):
    pulls.failed("a", transient=True, now=START)
    assert pulls.again(after(9), frozenset()) == []
    assert pulls.next_due() is None


def test_a_pull_without_completion_is_given_again(pulls):
    assert pulls.next_due() == later(START, PULL_DEADLINE)
    assert pulls.again(later(START, PULL_DEADLINE), WANTED) == [A]


def test_what_was_out_when_docker_went_is_due_at_once(pulls):
    pulls.void()
    assert pulls.again(START, WANTED) == [A]


@pytest.mark.parametrize(("image", "here"), [("a@sha256:1", True), ("a:1", False)])
def test_only_a_digest_is_taken_to_be_here(image, here):
    record = ImageRecord(image=image, reference="r", last_used_at=START)
    pulls = Pulls((record,))
    assert (pulls.here(image) == record) is here
    pulls.leaving(image, after(1))
    assert pulls.here(image) is None
    assert pulls.records()[0].last_used_at == after(1)
    pulls.finished(record)
    assert (pulls.here(image) == record) is here
    pulls.forget(image)
    assert pulls.records() == ()
