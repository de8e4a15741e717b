"""The memory store keeps the contract, and is strict with its callers."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from moorage.blob.memory import CAPACITY_BYTES, MemoryBlobStore
from moorage.ground.clock import ManualClock
from moorage.ground.digest import digest_of
from moorage.ground.instant import seconds
from tests.contract.blob_store import BlobStoreContract
from tests.contract.blob_store_rig import Rig, an_id, put


class MemoryRig:
    """A memory store outlives a restart: what is lost is who had what in hand."""

    def __init__(self) -> None:
        self.store = MemoryBlobStore(ManualClock())

    def restart(self) -> None:
        self.store.crash()

    def fill(self) -> None:
        self.store.capacity_bytes = 0

    def make_room(self) -> None:
        self.store.capacity_bytes = CAPACITY_BYTES


class TestMemory(BlobStoreContract):
    @contextmanager
    def rig(self) -> Iterator[Rig]:
        yield MemoryRig()


@pytest.mark.parametrize("ending", ["append", "hexdigest", "close"])
def test_a_buffer_that_is_changed_too_early_is_our_bug(ending):
    stage = MemoryBlobStore(ManualClock()).stage(an_id(1))
    buffer = bytearray(b"lent")
    stage.append(buffer)
    buffer[0] = 0
    uses = {"append": lambda: stage.append(b""), "hexdigest": stage.hexdigest, "close": stage.close}
    with pytest.raises(AssertionError):
        uses[ending]()


def test_modified_is_when_it_was_committed_last():
    clock = ManualClock()
    store = MemoryBlobStore(clock)
    with store.stage(an_id(1)) as stage:
        stage.append(b"x")
    clock.advance(seconds(10))
    assert store.commit(an_id(1), digest_of(b"x")).modified == clock.now()
    clock.advance(seconds(10))
    digest = put(store, an_id(2), b"x")
    facts = store.stat(digest)
    assert facts is not None
    assert facts.modified == clock.now()


def test_the_room_that_is_left_is_counted():
    store = MemoryBlobStore(ManualClock(), capacity_bytes=10)
    put(store, an_id(1), b"four")
    with store.stage(an_id(2)) as stage:
        stage.append(b"abc")
    assert store.free_bytes() == 3
