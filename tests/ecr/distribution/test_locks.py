"""Locks by key."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moorage.blob.store import StoreFailed
from moorage.ecr.distribution.locks import Locks, NotInTime


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=8))
def test_locks_exclude_by_digest_and_leave_nothing(digests):
    locks = Locks()
    inside: list[str] = []

    async def hold(digest):
        async with locks.held(digest):
            assert digest not in inside
            inside.append(digest)
            await asyncio.sleep(0)
            inside.remove(digest)

    async def all_of_them():
        await asyncio.gather(*map(hold, digests))

    asyncio.run(all_of_them())
    assert not locks._held


def test_a_lock_is_let_go_by_whoever_fails():
    locks = Locks()

    async def fail():
        async with locks.held("a"):
            raise StoreFailed

    with pytest.raises(StoreFailed):
        asyncio.run(fail())
    assert not locks._held


def test_patience_ends():
    locks = Locks()

    async def wait():
        async with locks.held("a"), locks.held("b", 0.01):
            with pytest.raises(NotInTime):
                async with locks.held("a", 0.01):
                    raise AssertionError

    asyncio.run(wait())
    assert not locks._held
