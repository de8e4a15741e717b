"""Port BlobStore, and the records and refusals that every adapter shares.

The life of a blob: `stage` an upload under an id, `append` to it over any number of requests,
connections and restarts, then `commit` it under the digest that its bytes have. Before the commit
nothing of it can be seen; after it, the whole blob is there and survives a loss of power. That is
the first half of "bytes first, row second": the operation that names the blob runs after `commit`.

Refusals, each an expected outcome that the caller turns into its protocol's own words:

    Refusal
    ├─ StoreFull         the room above the reserve does not suffice; works again once there is some
    ├─ StoreFailed       the medium answers with an error (EIO, EROFS, EMFILE ...)
    ├─ StageBusy         another writer, a commit or a discard has this upload in hand
    ├─ UploadUnknown     nothing is staged under this id (any more)
    └─ DigestMismatch    the staged bytes have another digest than the one they were claimed to have
"""

import re
from collections.abc import Iterator
from types import TracebackType
from typing import NewType, Protocol, Self

from moorage.ground.digest import Digest
from moorage.ground.instant import Instant
from moorage.ground.record import Record

UploadId = NewType("UploadId", str)
Octets = bytes | bytearray | memoryview

UPLOAD_ID_DIGITS = 32
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_HEXADECIMAL_DIGITS = {"sha256": 64, "sha512": 128}
_HEXADECIMAL = re.compile(r"[0-9a-f]+", re.ASCII)


class BlobFacts(Record):
    """A committed blob: its digest, its size in bytes, and when it was last committed.

    `modified` is read from the store's own clock (a file system's is the kernel's), and is renewed
    by each commit, so that a collector's grace begins again for a blob that was pushed again.
    """

    digest: Digest
    size: int
    modified: Instant


class UploadFacts(Record):
    """An upload: its id, how many bytes are staged, and when it was last written to."""

    upload_id: UploadId
    size: int
    modified: Instant


class Refusal(Exception):  # noqa: N818 - an expected outcome, named by its cause
    """What a store may answer instead of doing as it was told; see the tree above."""


class StoreFull(Refusal):
    """There is no room above the reserve; nothing was written, and what was there is whole."""


class StoreFailed(Refusal):
    """The medium failed; the cause is the OSError. Nothing half-written can be seen."""


class StageBusy(Refusal):
    """The upload is in other hands just now."""


class UploadUnknown(Refusal):
    """No upload of this id is staged: it never was, was discarded, or was committed."""


class DigestMismatch(Refusal):
    """The bytes have the digest `found`, not the one that was asked for."""

    def __init__(self, expected: Digest, found: str) -> None:
        """Name both; `found` is the hexadecimal part, of the expected digest's algorithm."""
        super().__init__(f"the bytes have the digest {expected.algorithm}:{found}, not {expected}")
        self.expected = expected
        self.found = found


def parse_upload_id(text: str) -> UploadId | None:
    """The upload id that `text` is, or None: ids are 32 lower-case hex digits from Chance."""
    return UploadId(text) if _UPLOAD_ID.fullmatch(text) else None


def check_upload_id(upload_id: UploadId) -> None:
    """Assert that an id was parsed: nothing else may become a part of a path."""
    assert _UPLOAD_ID.fullmatch(upload_id), "an upload id that was never parsed"


def check_digest(digest: Digest) -> None:
    """Assert that a digest was parsed: nothing else may become a part of a path."""
    assert len(digest.hexadecimal) == _HEXADECIMAL_DIGITS.get(digest.algorithm), "unparsed digest"
    assert _HEXADECIMAL.fullmatch(digest.hexadecimal), "unparsed digest"


class Stage(Protocol):
    """An upload in the hands of its one writer; a context manager that closes itself."""

    @property
    def offset(self) -> int:
        """How many bytes are staged: where the next `append` begins. May be read by any thread."""
        ...

    def append(self, buffer: Octets) -> None:
        """Write and hash all of `buffer`, or nothing of it.

        The hash of a large buffer may still run when this returns, beside the caller's next read
        from its socket: a mutable buffer must not be changed before the *next* call on this stage
        has returned. Two buffers that take turns are enough. A contiguous buffer of any size is
        taken; from 256 KiB it is hashed beside the write.

        Raises StoreFull, StoreFailed (the stage stays usable, its offset is unchanged) and
        StageBusy where two threads call at once.
        """
        ...

    def hexdigest(self) -> str:
        """The digest of all bytes that are staged, in lower-case hex; appending may go on."""
        ...

    def close(self) -> None:
        """Put the upload down: it can be staged again, committed or discarded. Idempotent."""
        ...

    def __enter__(self) -> Self:
        """The stage itself."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; what was appended stays."""
        ...


class OpenBlob(Protocol):
    """A committed blob, opened for reading; a context manager that closes itself.

    It stays readable, unchanged, when the blob is deleted or committed again meanwhile. Any number
    of threads may read at once.
    """

    @property
    def size(self) -> int:
        """The size of what can be read, in bytes.

        A caller that knows the blob's size from a row compares: where they differ, the medium has
        lost bytes, and a push of the same blob repairs it.
        """
        ...

    def fileno(self) -> int | None:
        """A descriptor for os.sendfile with explicit offsets, or None where there is no file."""
        ...

    def read_at(self, offset: int, size: int) -> bytes:
        """The bytes from `offset` on: `size` of them, or as many as there are. StoreFailed."""
        ...

    def close(self) -> None:
        """Let go; idempotent."""
        ...

    def __enter__(self) -> Self:
        """The blob itself."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        ...


class BlobStore(Protocol):
    """Bytes under their digests, and uploads on their way there, in the one keyspace `plain`.

    Synchronous; every method may be called from any thread at any time. Each may raise StoreFailed
    besides what it names.
    """

    def stat(self, digest: Digest) -> BlobFacts | None:
        """What is known of a blob, or None where it is not here."""
        ...

    def open(self, digest: Digest) -> OpenBlob | None:
        """The blob, to be read and closed, or None where it is not here."""
        ...

    def stage(self, upload_id: UploadId, algorithm: str = "sha256") -> Stage:
        """Take an upload in hand: a new one, or one that was begun, also by an earlier process.

        The stage's offset is then where the upload goes on: it counts bytes that are stored and
        hashed. Bytes whose hash state was lost with an earlier process are read and hashed again,
        at most a checkpoint's worth. `algorithm` is the one that the digest is expected to be of;
        a wrong guess costs one more reading at commit.

        Raises StageBusy while the upload is in other hands, UploadUnknown where it was committed
        and not yet discarded, StoreFull where not even an empty upload fits.
        """
        ...

    def staged(self, upload_id: UploadId) -> UploadFacts | None:
        """How far an upload has come, or None where nothing is staged; also while it is written.

        A committed upload is no longer staged.
        """
        ...

    def discard(self, upload_id: UploadId) -> None:
        """Forget an upload, whether staged, committed or unknown. A committed blob stays.

        Call it after the row that names a committed blob is written: until then the store keeps
        what makes a repeated `commit` succeed. Raises StageBusy.
        """
        ...

    def commit(self, upload_id: UploadId, digest: Digest) -> BlobFacts:
        """Make the staged bytes the blob `digest`; when this returns, they survive a power loss.

        Where the blob is here already, the new bytes take its place (they are the same, or the old
        ones were damaged): readers see either, whole. Repeating a commit that succeeded answers as
        it did, until the upload is discarded or the blob deleted; a digest alone, with no upload
        that had those bytes, never does.

        Raises DigestMismatch (the upload is gone then), UploadUnknown, StageBusy while a stage is
        open, StoreFull (the upload stays; commit again when there is room).
        """
        ...

    def delete(self, digest: Digest) -> bool:
        """Remove a blob; whether there was one. Open readers read on.

        A loss of power right after may bring it back, for `walk` to find.
        """
        ...

    def walk(self) -> Iterator[BlobFacts]:
        """Every blob once, in the order of algorithm and hex digits.

        A blob that comes or goes during the walk may be seen or not; all others are seen.
        """
        ...

    def uploads(self) -> Iterator[UploadFacts]:
        """Every upload that is not discarded, in the order of ids; a committed one has size 0."""
        ...

    def free_bytes(self) -> int:
        """How many bytes may yet be staged before StoreFull: the room above the reserve."""
        ...
