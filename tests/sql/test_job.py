import pytest

from moorage.sql import job as jobs
from moorage.sql.job import Queue
from moorage.sql.transaction import StoreFailed


def test_gives_jobs_in_the_order_in_which_they_came():
    queue = Queue()
    for name in "abc":
        queue.submit(lambda _, name=name: name, writes=True)
    taken = [queue.take() for _ in range(3)]
    assert [job.work(None) for job in taken if job is not None] == ["a", "b", "c"]
    assert queue.take_waiting() is None


def test_is_bounded():
    queue = Queue()
    futures = [queue.submit(lambda _: None, writes=True) for _ in range(jobs.WAITING_MAX + 1)]
    assert not any(future.done() for future in futures[:-1])
    with pytest.raises(StoreFailed, match="Too many"):
        futures[-1].result(0)


def test_ends_for_every_thread_after_what_was_queued():
    queue = Queue()
    queue.submit(lambda _: None, writes=True)
    queue.close()
    queue.close()
    assert queue.take() is not None
    assert [queue.take() for _ in range(3)] == [None] * 3
    with pytest.raises(StoreFailed, match="stopping"):
        queue.submit(lambda _: None, writes=True).result(0)


def test_drains_with_one_error_each():
    queue = Queue()
    futures = [queue.submit(lambda _: None, writes=True) for _ in range(3)]
    futures[1].cancel()
    queue.drain(StoreFailed("broken"))
    errors = [futures[0].exception(0), futures[2].exception(0)]
    assert [str(error) for error in errors] == ["broken", "broken"]
    assert errors[0] is not errors[1]
    assert queue.take() is None
    with pytest.raises(StoreFailed, match="broken"):
        queue.submit(lambda _: None, writes=True).result(0)
