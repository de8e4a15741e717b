"""What every BlobStore promises; each adapter's test file subclasses BlobStoreContract."""

import hashlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Protocol

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from moorage.blob.store import (
    BlobStore,
    DigestMismatch,
    Octets,
    Stage,
    StageBusy,
    StoreFull,
    UploadId,
    UploadUnknown,
    parse_upload_id,
)
from moorage.ground.digest import Digest, digest_of

EXAMPLES = 25
STEPS = 30
ROUNDS = 20
LARGE = 300 << 10  # hashed beside the write


class Rig(Protocol):
    """A store under test, and what may befall it."""

    store: BlobStore

    def restart(self) -> None:
        """Kill the process without a word, and open `store` anew on what it left."""
        ...

    def fill(self) -> None:
        """Leave no room at all."""
        ...

    def make_room(self) -> None:
        """Undo `fill`."""
        ...


def an_id(number: int) -> UploadId:
    parsed = parse_upload_id(f"{number:032x}")
    assert parsed is not None
    return parsed


def octets(size: int, seed: int = 0) -> bytes:
    """Bytes that do not repeat in step with any buffer."""
    block = hashlib.sha512(str(seed).encode()).digest()
    return (block * (size // len(block) + 1))[:size]


def put(store: BlobStore, upload_id: UploadId, content: bytes) -> Digest:
    """Stage and commit."""
    digest = digest_of(content)
    with store.stage(upload_id) as stage:
        stage.append(content)
    store.commit(upload_id, digest)
    return digest


def get(store: BlobStore, digest: Digest) -> bytes | None:
    """The whole of a small blob."""
    blob = store.open(digest)
    if blob is None:
        return None
    with blob:
        return blob.read_at(0, blob.size)


class BlobStoreContract(ABC):
    """The suite; `rig` opens a fresh, empty store."""

    @abstractmethod
    def rig(self) -> AbstractContextManager[Rig]: ...

    @pytest.fixture
    def a_rig(self) -> Iterator[Rig]:
        with self.rig() as rig:
            yield rig

    @pytest.fixture
    def store(self, a_rig: Rig) -> BlobStore:
        return a_rig.store

    # what is not there

    def test_an_empty_store_has_nothing(self, store: BlobStore) -> None:
        digest = digest_of(b"nothing")
        assert store.stat(digest) is None
        assert store.open(digest) is None
        assert store.delete(digest) is False
        assert store.staged(an_id(1)) is None
        assert list(store.walk()) == []
        assert list(store.uploads()) == []
        store.discard(an_id(1))
        with pytest.raises(UploadUnknown):
            store.commit(an_id(1), digest)

    @pytest.mark.parametrize(
        "hexadecimal", ["", "../../../etc/passwd", "a" * 63, "A" * 64, "a" * 63 + "\n", "é" * 64]
    )
    def test_a_digest_that_was_never_parsed_is_our_bug(
        self, store: BlobStore, hexadecimal: str
    ) -> None:
        digest = Digest(algorithm="sha256", hexadecimal=hexadecimal)
        for use in (store.stat, store.open, store.delete):
            with pytest.raises(AssertionError):
                use(digest)

    @pytest.mark.parametrize(
        "text", ["", "..", "a/b", "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "\n"]
    )
    def test_an_upload_id_that_was_never_parsed_is_our_bug(
        self, store: BlobStore, text: str
    ) -> None:
        assert parse_upload_id(text) is None
        for use in (store.stage, store.staged, store.discard):
            with pytest.raises(AssertionError):
                use(UploadId(text))

    # the life of a blob

    @pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 4096, LARGE, (1 << 20) + 1])
    @pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
    def test_what_is_committed_is_read_back(
        self, store: BlobStore, size: int, algorithm: str
    ) -> None:
        content = octets(size)
        digest = digest_of(content, algorithm)
        with store.stage(an_id(1), algorithm) as stage:
            stage.append(content)
            assert stage.offset == size
            assert stage.hexdigest() == digest.hexadecimal
        assert store.stat(digest) is None
        committed = store.commit(an_id(1), digest)
        assert (committed.digest, committed.size) == (digest, size)
        assert store.stat(digest) == committed
        assert get(store, digest) == content
        assert store.staged(an_id(1)) is None

    def test_a_digest_of_another_algorithm_than_staged_is_verified_too(
        self, store: BlobStore
    ) -> None:
        content = octets(1000)
        digest = digest_of(content, "sha512")
        with store.stage(an_id(1), "sha256") as stage:
            stage.append(content)
        assert store.commit(an_id(1), digest).size == len(content)
        assert get(store, digest) == content

    @pytest.mark.parametrize(
        ("offset", "size", "expected"),
        [(0, 3, b"abc"), (3, 3, b"def"), (5, 9, b"f"), (6, 1, b""), (99, 1, b""), (2, 0, b"")],
    )
    def test_a_part_of_a_blob_is_read(
        self, store: BlobStore, offset: int, size: int, expected: bytes
    ) -> None:
        blob = store.open(put(store, an_id(1), b"abcdef"))
        assert blob is not None
        with blob:
            assert blob.size == 6
            assert blob.read_at(offset, size) == expected
        blob.close()

    @pytest.mark.parametrize("size", [10, LARGE])
    @pytest.mark.parametrize(
        "form", [bytes, bytearray, memoryview, lambda b: memoryview(bytearray(b))]
    )
    def test_any_contiguous_buffer_is_appended(
        self, store: BlobStore, size: int, form: Callable[[bytes], Octets]
    ) -> None:
        content = octets(size)
        with store.stage(an_id(1)) as stage:
            stage.append(form(content))
            stage.append(memoryview(content)[3:])
        digest = digest_of(content + content[3:])
        assert store.commit(an_id(1), digest).size == 2 * size - 3

    def test_two_buffers_that_take_turns_are_enough(self, store: BlobStore) -> None:
        buffers = (bytearray(LARGE), bytearray(LARGE))
        expected = hashlib.sha256()
        with store.stage(an_id(1)) as stage:
            for number in range(12):
                buffer = buffers[number % 2]
                buffer[:] = octets(LARGE, number)
                expected.update(buffer)
                stage.append(memoryview(buffer)[: LARGE - number] if number == 11 else buffer)
                if number == 10:
                    assert stage.hexdigest() == expected.hexdigest()
            expected = hashlib.sha256(b"".join(octets(LARGE, number) for number in range(11)))
            expected.update(octets(LARGE, 11)[: LARGE - 11])
            assert stage.hexdigest() == expected.hexdigest()

    # commit

    def test_a_wrong_digest_leaves_nothing(self, store: BlobStore) -> None:
        claimed = digest_of(b"claimed")
        with store.stage(an_id(1)) as stage:
            stage.append(b"sent")
        with pytest.raises(DigestMismatch) as refused:
            store.commit(an_id(1), claimed)
        assert refused.value.expected == claimed
        assert refused.value.found == hashlib.sha256(b"sent").hexdigest()
        assert store.stat(claimed) is None
        assert store.stat(digest_of(b"sent")) is None
        assert list(store.walk()) == []
        assert list(store.uploads()) == []
        with pytest.raises(UploadUnknown):
            store.commit(an_id(1), digest_of(b"sent"))

    def test_a_repeated_commit_answers_as_the_first(self, a_rig: Rig) -> None:
        digest = put(a_rig.store, an_id(1), b"once")
        first = a_rig.store.stat(digest)
        assert a_rig.store.commit(an_id(1), digest) == first
        a_rig.restart()
        assert a_rig.store.commit(an_id(1), digest) == first

    def test_a_repeated_commit_is_refused_once_the_upload_is_discarded_or_the_blob_gone(
        self, store: BlobStore
    ) -> None:
        digest = put(store, an_id(1), b"once")
        store.discard(an_id(1))
        with pytest.raises(UploadUnknown):
            store.commit(an_id(1), digest)
        assert get(store, digest) == b"once"
        put(store, an_id(2), b"once")
        store.delete(digest)
        with pytest.raises(UploadUnknown):
            store.commit(an_id(2), digest)

    def test_a_digest_alone_opens_no_blob_to_another_upload(self, store: BlobStore) -> None:
        """Else an account that knows a digest could link bytes that it never had."""
        secret = put(store, an_id(1), b"of another account")
        other = put(store, an_id(2), b"mine")
        with pytest.raises(UploadUnknown):
            store.commit(an_id(2), secret)
        with pytest.raises(UploadUnknown):
            store.commit(an_id(3), secret)
        with store.stage(an_id(3)):
            pass
        with pytest.raises(DigestMismatch):
            store.commit(an_id(3), secret)
        assert get(store, other) == b"mine"

    def test_a_committed_upload_cannot_be_staged_again(self, a_rig: Rig) -> None:
        digest = put(a_rig.store, an_id(1), b"done")
        for _ in range(2):
            with pytest.raises(UploadUnknown):
                a_rig.store.stage(an_id(1))
            assert [facts.size for facts in a_rig.store.uploads()] == [0]
            a_rig.restart()
        a_rig.store.discard(an_id(1))
        assert list(a_rig.store.uploads()) == []
        with a_rig.store.stage(an_id(1)) as stage:
            assert stage.offset == 0
        assert get(a_rig.store, digest) == b"done"

    def test_a_blob_that_is_pushed_again_can_still_be_read(self, store: BlobStore) -> None:
        digest = put(store, an_id(1), b"same")
        blob = store.open(digest)
        assert blob is not None
        with blob:
            put(store, an_id(2), b"same")
            store.delete(digest)
            assert blob.read_at(0, 9) == b"same"
        assert get(store, digest) is None

    # uploads

    def test_an_upload_goes_on_after_a_restart(self, a_rig: Rig) -> None:
        stage = a_rig.store.stage(an_id(1))
        stage.append(octets(LARGE))
        a_rig.restart()
        stage.close()
        facts = a_rig.store.staged(an_id(1))
        assert facts is not None
        assert facts.size == LARGE
        with a_rig.store.stage(an_id(1)) as again:
            assert again.offset == LARGE
            again.append(b"tail")
        digest = digest_of(octets(LARGE) + b"tail")
        a_rig.restart()
        assert a_rig.store.commit(an_id(1), digest).size == LARGE + 4

    def test_an_upload_is_in_one_hand(self, store: BlobStore) -> None:
        with store.stage(an_id(1)) as stage:
            stage.append(b"abc")
            uses: list[Callable[[], object]] = [
                lambda: store.stage(an_id(1)),
                lambda: store.discard(an_id(1)),
                lambda: store.commit(an_id(1), digest_of(b"abc")),
            ]
            for use in uses:
                with pytest.raises(StageBusy):
                    use()
            facts = store.staged(an_id(1))
            assert facts is not None
            assert facts.size == 3
            with store.stage(an_id(2)) as other:
                assert other.offset == 0
        stage.close()
        store.commit(an_id(1), digest_of(b"abc"))

    def test_uploads_and_blobs_are_listed_in_order(self, store: BlobStore) -> None:
        for number in (3, 1, 2):
            with store.stage(an_id(number)) as stage:
                stage.append(octets(number))
        assert [(facts.upload_id, facts.size) for facts in store.uploads()] == [
            (an_id(number), number) for number in (1, 2, 3)
        ]
        digests = [put(store, an_id(number), octets(number)) for number in (10, 11, 12)]
        assert [facts.digest for facts in store.walk()] == sorted(digests, key=str)

    # no room

    @pytest.mark.parametrize("size", [1, LARGE])
    def test_a_full_store_refuses_by_name_and_works_again_at_once(
        self, a_rig: Rig, size: int
    ) -> None:
        store = a_rig.store
        old = put(store, an_id(1), b"old")
        with store.stage(an_id(2)) as stage:
            stage.append(octets(size))
            a_rig.fill()
            assert store.free_bytes() == 0
            for _ in range(3):
                with pytest.raises(StoreFull):
                    stage.append(octets(size, 1))
                assert stage.offset == size
            assert stage.hexdigest() == digest_of(octets(size)).hexadecimal
            assert get(store, old) == b"old"
            a_rig.make_room()
            assert store.free_bytes() > 0
            stage.append(octets(size, 2))
        digest = digest_of(octets(size) + octets(size, 2))
        assert store.commit(an_id(2), digest).size == 2 * size

    # threads

    def test_one_of_many_threads_gets_the_upload(self, store: BlobStore) -> None:
        threads = 8
        barrier = threading.Barrier(threads)

        def take(_: int) -> Stage | None:
            barrier.wait()
            try:
                return store.stage(an_id(1))
            except StageBusy:
                return None

        with ThreadPoolExecutor(threads) as pool:
            for _ in range(ROUNDS):
                taken = [stage for stage in pool.map(take, range(threads)) if stage is not None]
                assert len(taken) == 1
                taken[0].close()

    def test_threads_that_share_a_stage_are_refused_and_tear_nothing(
        self, store: BlobStore
    ) -> None:
        threads = 4
        barrier = threading.Barrier(threads)
        content = octets(LARGE)

        def append(_: int) -> bool:
            barrier.wait()
            try:
                stage.append(content)
            except StageBusy:
                return False
            return True

        taken = 0
        with store.stage(an_id(1)) as stage, ThreadPoolExecutor(threads) as pool:
            for _ in range(ROUNDS):
                added = sum(pool.map(append, range(threads)))
                assert added >= 1
                taken += added
                assert stage.offset == taken * LARGE
            assert stage.hexdigest() == digest_of(content * taken).hexadecimal

    def test_threads_commit_one_digest_at_once(self, store: BlobStore) -> None:
        threads = 2
        barrier = threading.Barrier(threads)

        def push(number: int) -> int:
            with store.stage(an_id(number)) as stage:
                stage.append(content)
            barrier.wait()
            return store.commit(an_id(number), digest_of(content)).size

        with ThreadPoolExecutor(threads) as pool:
            for turn in range(ROUNDS):
                content = octets(5000, turn)
                numbers = range(turn * threads, turn * threads + threads)
                assert list(pool.map(push, numbers)) == [len(content)] * threads
                assert get(store, digest_of(content)) == content
        assert len(list(store.walk())) == ROUNDS

    # law

    def test_any_order_of_calls_does_what_a_dict_does(self) -> None:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            lambda: StoreLaw(self.rig),
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )


IDS = st.integers(0, 2).map(an_id)
BUFFERS = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([octets(64, 1), octets(1000, 2), octets(LARGE, 3), octets(LARGE + 1, 4)]),
)
ALGORITHM = st.sampled_from(["sha256", "sha512"])


class StoreLaw(RuleBasedStateMachine):
    """A store beside two dicts."""

    def __init__(self, open_rig: Callable[[], AbstractContextManager[Rig]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.context = open_rig()
        self.rig = self.context.__enter__()
        self.blobs: dict[Digest, bytes] = {}
        self.staged: dict[UploadId, bytes] = {}
        self.committed: dict[UploadId, Digest] = {}
        self.stages: dict[UploadId, Stage] = {}
        self.full = False

    def teardown(self) -> None:
        for stage in self.stages.values():
            stage.close()
        for digest, content in self.blobs.items():
            assert get(self.rig.store, digest) == content
        self.context.__exit__(None, None, None)

    @rule(upload_id=IDS, algorithm=ALGORITHM)
    def take(self, upload_id: UploadId, algorithm: str) -> None:
        if upload_id in self.stages:
            with pytest.raises(StageBusy):
                self.rig.store.stage(upload_id, algorithm)
        elif upload_id in self.committed:
            with pytest.raises(UploadUnknown):
                self.rig.store.stage(upload_id, algorithm)
        else:
            stage = self.rig.store.stage(upload_id, algorithm)
            self.stages[upload_id] = stage
            content = self.staged.setdefault(upload_id, b"")
            assert stage.offset == len(content)
            assert stage.hexdigest() == hashlib.new(algorithm, content).hexdigest()

    @precondition(lambda self: self.stages)
    @rule(data=st.data(), buffer=BUFFERS)
    def append(self, data: st.DataObject, buffer: bytes) -> None:
        upload_id = data.draw(st.sampled_from(sorted(self.stages)))
        stage = self.stages[upload_id]
        if self.full and buffer:
            with pytest.raises(StoreFull):
                stage.append(buffer)
        else:
            stage.append(buffer)
            self.staged[upload_id] += buffer
        assert stage.offset == len(self.staged[upload_id])

    @precondition(lambda self: self.stages)
    @rule(data=st.data())
    def put_down(self, data: st.DataObject) -> None:
        self.stages.pop(data.draw(st.sampled_from(sorted(self.stages)))).close()

    @rule()
    def restart(self) -> None:
        self.rig.restart()
        for stage in self.stages.values():
            stage.close()
        self.stages = {}

    @rule()
    def fill(self) -> None:
        self.rig.fill()
        self.full = True

    @precondition(lambda self: self.full)
    @rule()
    def make_room(self) -> None:
        self.rig.make_room()
        self.full = False

    @rule(upload_id=IDS, algorithm=ALGORITHM)
    def commit(self, upload_id: UploadId, algorithm: str) -> None:
        content = self.staged.get(upload_id, b"")
        self._commit(upload_id, digest_of(content, algorithm), content)

    @precondition(lambda self: self.blobs)
    @rule(upload_id=IDS, data=st.data())
    def commit_as_a_blob_that_is_there(self, upload_id: UploadId, data: st.DataObject) -> None:
        digest = data.draw(st.sampled_from(sorted(self.blobs, key=str)))
        self._commit(upload_id, digest, self.staged.get(upload_id, b""))

    def _commit(self, upload_id: UploadId, digest: Digest, content: bytes) -> None:
        store = self.rig.store
        if upload_id in self.stages:
            with pytest.raises(StageBusy):
                store.commit(upload_id, digest)
        elif upload_id in self.staged:
            if digest_of(content, digest.algorithm) == digest:
                assert store.commit(upload_id, digest).size == len(content)
                self.blobs[digest] = content
                self.committed[upload_id] = digest
            else:
                with pytest.raises(DigestMismatch):
                    store.commit(upload_id, digest)
            del self.staged[upload_id]
        elif self.committed.get(upload_id) == digest and digest in self.blobs:
            assert store.commit(upload_id, digest).size == len(self.blobs[digest])
        else:
            with pytest.raises(UploadUnknown):
                store.commit(upload_id, digest)

    @rule(upload_id=IDS)
    def discard(self, upload_id: UploadId) -> None:
        if upload_id in self.stages:
            with pytest.raises(StageBusy):
                self.rig.store.discard(upload_id)
        else:
            self.rig.store.discard(upload_id)
            self.staged.pop(upload_id, None)
            self.committed.pop(upload_id, None)

    @precondition(lambda self: self.blobs)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        digest = data.draw(st.sampled_from(sorted(self.blobs, key=str)))
        assert self.rig.store.delete(digest)
        assert not self.rig.store.delete(digest)
        del self.blobs[digest]

    @invariant()
    def lists_agree(self) -> None:
        store = self.rig.store
        assert {facts.digest: facts.size for facts in store.walk()} == {
            digest: len(content) for digest, content in self.blobs.items()
        }
        assert [(facts.upload_id, facts.size) for facts in store.uploads()] == sorted(
            (upload_id, len(self.staged.get(upload_id, b"")))
            for upload_id in {*self.staged, *self.committed}
        )
        for upload_id, content in self.staged.items():
            facts = store.staged(upload_id)
            assert facts is not None
            assert facts.size == len(content)
