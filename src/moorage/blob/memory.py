"""Blobs in memory: the peer of FilesystemBlobStore for tests and the simulator.

It keeps every promise of the port but durability, and is stricter with its callers: a buffer that
was changed while the port forbids it is an AssertionError here, where files would get a wrong hash.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from moorage.blob.store import (
    BlobFacts,
    DigestMismatch,
    Octets,
    StageBusy,
    StoreFull,
    UploadFacts,
    UploadId,
    UploadUnknown,
    check_digest,
    check_upload_id,
)
from moorage.ground.clock import Clock
from moorage.ground.digest import Digest
from moorage.ground.instant import Instant

CAPACITY_BYTES = 1 << 40


class MemoryBlob:
    """A blob's bytes (see store.OpenBlob)."""

    def __init__(self, content: bytes) -> None:
        """Keep the bytes."""
        self._content = content

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self._content)

    def fileno(self) -> int | None:
        """None: there is no file."""
        return None

    def read_at(self, offset: int, size: int) -> bytes:
        """The bytes from `offset` on."""
        return self._content[offset : offset + size]

    def close(self) -> None:
        """Let go."""

    def __enter__(self) -> Self:
        """The blob itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""


class _Upload:
    """An upload's bytes, or the digest that they were committed under."""

    def __init__(self, modified: Instant) -> None:
        self.content = bytearray()
        self.modified = modified
        self.committed: Digest | None = None


class MemoryStage:
    """The one writer of an upload (see store.Stage)."""

    def __init__(
        self,
        upload: _Upload,
        algorithm: str,
        grow: Callable[[bytes], None],
        put_down: Callable[[], None],
    ) -> None:
        """Go on after the upload's bytes."""
        self._upload = upload
        self._algorithm = algorithm
        self._grow = grow
        self._put_down = put_down
        self._lent: tuple[memoryview, bytes] | None = None
        self._closed = False
        self._in_use = threading.Lock()

    @property
    def offset(self) -> int:
        """How many bytes are staged."""
        return len(self._upload.content)

    def append(self, buffer: Octets) -> None:
        """Take all of `buffer`, or nothing of it."""
        if not self._in_use.acquire(blocking=False):
            raise StageBusy("two threads use one stage at once")
        try:
            assert not self._closed, "append to a closed stage"
            self._settle()
            octets = bytes(buffer)
            if octets:
                self._grow(octets)
                self._lent = memoryview(buffer).cast("B"), octets
        finally:
            self._in_use.release()

    def hexdigest(self) -> str:
        """The digest of all bytes that are staged."""
        self._settle()
        return hashlib.new(self._algorithm, self._upload.content).hexdigest()

    def close(self) -> None:
        """Put the upload down."""
        if not self._closed:
            self._closed = True
            self._settle()
            self._put_down()

    def __enter__(self) -> Self:
        """The stage itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _settle(self) -> None:
        if self._lent is not None:
            view, octets = self._lent
            self._lent = None
            assert view == octets, "a buffer was changed before the next call on its stage returned"
            view.release()


class MemoryBlobStore:
    """A BlobStore that ends with its object; `capacity_bytes` may be changed to fill its disk."""

    def __init__(self, clock: Clock, capacity_bytes: int = CAPACITY_BYTES) -> None:
        """Begin empty."""
        self.capacity_bytes = capacity_bytes
        self._clock = clock
        self._lock = threading.RLock()
        self._blobs: dict[Digest, tuple[bytes, BlobFacts]] = {}
        self._uploads: dict[UploadId, _Upload] = {}
        self._in_hand: dict[UploadId, object] = {}

    def crash(self) -> None:
        """What a kill of the process does: nobody has an upload in hand any more.

        A stage of before must not be used again.
        """
        with self._lock:
            self._in_hand = {}

    def stat(self, digest: Digest) -> BlobFacts | None:
        """What is known of a blob."""
        check_digest(digest)
        with self._lock:
            found = self._blobs.get(digest)
        return None if found is None else found[1]

    def open(self, digest: Digest) -> MemoryBlob | None:
        """The blob."""
        check_digest(digest)
        with self._lock:
            found = self._blobs.get(digest)
        return None if found is None else MemoryBlob(found[0])

    def stage(self, upload_id: UploadId, algorithm: str = "sha256") -> MemoryStage:
        """Take an upload in hand."""
        check_upload_id(upload_id)
        hold = object()
        with self._lock:
            self._check_free(upload_id)
            upload = self._uploads.setdefault(upload_id, _Upload(self._clock.now()))
            if upload.committed is not None:
                raise UploadUnknown(f"upload {upload_id} was committed")
            self._in_hand[upload_id] = hold

        def grow(octets: bytes) -> None:
            with self._lock:
                assert self._in_hand.get(upload_id) is hold, "a stage outlived its process"
                if len(octets) > self.free_bytes():
                    raise StoreFull(f"{self.free_bytes()} bytes are free")
                upload.content += octets
                upload.modified = self._clock.now()

        def put_down() -> None:
            with self._lock:
                if self._in_hand.get(upload_id) is hold:
                    del self._in_hand[upload_id]

        return MemoryStage(upload, algorithm, grow, put_down)

    def staged(self, upload_id: UploadId) -> UploadFacts | None:
        """How far an upload has come."""
        check_upload_id(upload_id)
        with self._lock:
            upload = self._uploads.get(upload_id)
            if upload is None or upload.committed is not None:
                return None
            return _facts(upload_id, upload)

    def discard(self, upload_id: UploadId) -> None:
        """Forget an upload."""
        check_upload_id(upload_id)
        with self._lock:
            self._check_free(upload_id)
            self._uploads.pop(upload_id, None)

    def commit(self, upload_id: UploadId, digest: Digest) -> BlobFacts:
        """Make the staged bytes the blob `digest`."""
        check_upload_id(upload_id)
        check_digest(digest)
        with self._lock:
            self._check_free(upload_id)
            upload = self._uploads.get(upload_id)
            if upload is None or (upload.committed is not None and upload.committed != digest):
                raise UploadUnknown("nothing is staged under this id")
            if upload.committed is not None:
                if digest not in self._blobs:
                    raise UploadUnknown("nothing is staged under this id")
                return self._blobs[digest][1]
            found = hashlib.new(digest.algorithm, upload.content).hexdigest()
            if found != digest.hexadecimal:
                del self._uploads[upload_id]
                raise DigestMismatch(digest, found)
            upload.modified = self._clock.now()
            upload.committed = digest
            facts = BlobFacts(digest=digest, size=len(upload.content), modified=upload.modified)
            self._blobs[digest] = bytes(upload.content), facts
            upload.content = bytearray()
            return facts

    def delete(self, digest: Digest) -> bool:
        """Remove a blob."""
        check_digest(digest)
        with self._lock:
            return self._blobs.pop(digest, None) is not None

    def walk(self) -> Iterator[BlobFacts]:
        """Every blob once."""
        with self._lock:
            digests = sorted(self._blobs, key=str)
        for digest in digests:
            facts = self.stat(digest)
            if facts is not None:
                yield facts

    def uploads(self) -> Iterator[UploadFacts]:
        """Every upload that is not discarded."""
        with self._lock:
            facts = [_facts(upload_id, self._uploads[upload_id]) for upload_id in self._uploads]
        yield from sorted(facts, key=lambda one: one.upload_id)

    def free_bytes(self) -> int:
        """The room that is left."""
        with self._lock:
            used = sum(facts.size for _, facts in self._blobs.values())
            used += sum(len(upload.content) for upload in self._uploads.values())
        return max(0, self.capacity_bytes - used)

    def _check_free(self, upload_id: UploadId) -> None:
        if upload_id in self._in_hand:
            raise StageBusy(f"upload {upload_id} is in other hands")


def _facts(upload_id: UploadId, upload: _Upload) -> UploadFacts:
    return UploadFacts(upload_id=upload_id, size=len(upload.content), modified=upload.modified)
