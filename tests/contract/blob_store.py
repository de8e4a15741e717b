"""What every BlobStore promises; each adapter's test file subclasses BlobStoreContract."""

import hashlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

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
from tests.contract.blob_store_law import check_law
from tests.contract.blob_store_rig import LARGE, Rig, an_id, get, octets, put

ROUNDS = 20


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
        check_law(self.rig)
