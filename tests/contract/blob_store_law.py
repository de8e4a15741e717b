"""The law of the port BlobStore: any order of calls does what two dicts do."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager

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
    DigestMismatch,
    Stage,
    StageBusy,
    StoreFull,
    UploadId,
    UploadUnknown,
)
from moorage.ground.digest import Digest, digest_of
from tests.contract.blob_store_rig import LARGE, Rig, an_id, get, octets

EXAMPLES = 25
STEPS = 30
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


def check_law(open_rig: Callable[[], AbstractContextManager[Rig]]) -> None:
    """Try random orders of calls on stores that `open_rig` opens, fresh and empty each time."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: StoreLaw(open_rig),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
