"""The files of one upload, and the one writer that appends to them.

An upload's `content` grows by whole appends. Every CHECKPOINT_BYTES it is synced, and the state of
its hash is saved as its `midstate`: a process that finds the upload after a kill or a crash trusts
the midstate as far as it reaches and hashes the rest of the content again. So at most a
checkpoint's worth is read twice, and a midstate never covers a byte that is not on the disk.

    <id>             content: the bytes that were appended, in order
    <id>.midstate    checksum, then byte order, algorithm, offset and hash state in JSON
    <id>.new         the next midstate, before its rename
    <id>.committed   the digest that the content got; written before the content is renamed away
"""

import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from moorage.blob.hashing import Hasher, Hashes
from moorage.blob.medium import Medium, named_failures, read_small, remove, write_all, write_new
from moorage.blob.store import Octets, StageBusy, StoreFull, UploadId, check_upload_id

CHECKPOINT_BYTES = 256 << 20  # what a restart reads again at most: about 0.2 s of hashing
PIPELINE_BYTES_MIN = 256 << 10  # below, handing the hash to another thread costs more than it gains
_READ_BYTES = 1 << 20
_MIDSTATE_BYTES_MAX = 4096
_CHECKSUM_DIGITS = 64


class UploadFiles(NamedTuple):
    """The paths of one upload."""

    content: Path
    midstate: Path
    midstate_new: Path
    committed: Path

    def remove(self) -> None:
        """Remove what there is; the marker last, so that `uploads` shows the id until all is gone."""
        for path in self:
            remove(path)


def files_of(folder: Path, upload_id: UploadId) -> UploadFiles:
    """The paths of an upload in the folder of uploads."""
    check_upload_id(upload_id)
    endings = ("", ".midstate", ".new", ".committed")
    return UploadFiles(*(folder / f"{upload_id}{ending}" for ending in endings))


class Midstate(NamedTuple):
    """A hash state, and how many synced bytes of the content it covers."""

    algorithm: str
    offset: int
    state: bytes


NO_MIDSTATE = Midstate("", 0, b"")


def load_midstate(files: UploadFiles) -> Midstate:
    """The saved midstate, or NO_MIDSTATE where there is none or it is damaged. OSError."""
    text = read_small(files.midstate, _MIDSTATE_BYTES_MAX) or b""
    checksum, body = text[:_CHECKSUM_DIGITS], text[_CHECKSUM_DIGITS:]
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        return NO_MIDSTATE
    order, algorithm, offset, state = json.loads(body)
    if order != sys.byteorder:
        state = ""  # written by another kind of machine: the offset holds, the struct does not
    return Midstate(algorithm, offset, bytes.fromhex(state))


def save_midstate(files: UploadFiles, midstate: Midstate, medium: Medium) -> None:
    """Replace the saved midstate; a kill or a crash leaves the old or the new one. OSError."""
    algorithm, offset, state = midstate
    body = json.dumps([sys.byteorder, algorithm, offset, state.hex()]).encode()
    descriptor = write_new(files.midstate_new, hashlib.sha256(body).hexdigest().encode() + body)
    try:
        medium.sync(descriptor)
    finally:
        os.close(descriptor)
    files.midstate_new.rename(files.midstate)


class Hashed(NamedTuple):
    """A hash of the first `offset` bytes of a content, `saved` of which a midstate covers."""

    hasher: Hasher
    offset: int
    saved: int


def hash_again(hashes: Hashes, descriptor: int, files: UploadFiles, algorithm: str) -> Hashed:
    """The hash of a whole content, from its midstate where that fits, else by reading it. OSError."""
    size = os.fstat(descriptor).st_size
    midstate = load_midstate(files)
    hasher = None
    if midstate.algorithm == algorithm and midstate.offset <= size:
        hasher = hashes.resume(algorithm, midstate.state)
    offset = 0 if hasher is None else midstate.offset
    hasher = hasher or hashes.begin(algorithm)
    view = memoryview(bytearray(min(_READ_BYTES, max(1, size - offset))))
    while count := os.preadv(descriptor, [view], offset):
        hasher.update(view[:count])
        offset += count
    return Hashed(hasher, offset, min(midstate.offset, offset))


class FileStage:
    """The one writer of an upload (see store.Stage); `rest` takes back what it knows at the end."""

    def __init__(
        self,
        descriptor: int,
        files: UploadFiles,
        hashed: Hashed,
        shared: "Shared",
        rest: Callable[[Hashed], None],
    ) -> None:
        """Go on after `hashed`; the descriptor is closed with the stage."""
        self._descriptor = descriptor
        self._files = files
        self._hasher, self._offset, self._saved = hashed
        self._shared = shared
        self._rest = rest
        self._pending: tuple[Future[None], memoryview] | None = None
        self._closed = False
        self._in_use = threading.Lock()

    @property
    def offset(self) -> int:
        """How many bytes are staged."""
        return self._offset

    def append(self, buffer: Octets) -> None:
        """Write and hash all of `buffer`, or nothing of it; see store.Stage.append."""
        view = memoryview(buffer).cast("B")
        with _Turn(self._in_use):
            assert not self._closed, "append to a closed stage"
            self._settle()
            if not view.nbytes:
                return
            with named_failures("while staging"):
                self._check_room(view.nbytes)
                self._write(view)
                self._offset += view.nbytes
                if self._offset - self._saved >= self._shared.checkpoint_bytes:
                    self._checkpoint()

    def hexdigest(self) -> str:
        """The digest of all bytes that are staged."""
        with _Turn(self._in_use):
            self._settle()
            return self._hasher.hexdigest()

    def close(self) -> None:
        """Put the upload down."""
        with _Turn(self._in_use):
            if self._closed:
                return
            self._closed = True
            self._settle()
            os.close(self._descriptor)
            self._rest(Hashed(self._hasher, self._offset, self._saved))

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

    def _check_room(self, size: int) -> None:
        room = self._shared.medium.room(self._descriptor)
        if size > room:
            reserve = self._shared.medium.reserve_bytes
            raise StoreFull(f"{room} bytes are free above the reserve of {reserve}")

    def _write(self, view: memoryview) -> None:
        """Write, with the hash of a large buffer running beside; undo both where the write fails."""
        before = self._hasher
        self._hasher = before.copy()
        if view.nbytes >= PIPELINE_BYTES_MIN:
            self._pending = self._shared.executor.submit(self._hasher.update, view), view
        try:
            write_all(self._descriptor, view, self._offset)
        except OSError:
            self._settle()
            self._hasher = before
            # Where even this fails the bytes after the offset are overwritten by the next append,
            # and whoever takes the upload in hand later compares the size and hashes again.
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._offset)
            raise
        if self._pending is None:
            self._hasher.update(view)

    def _settle(self) -> None:
        """Wait for the hash of the last buffer, and give the buffer back to the caller."""
        if self._pending is not None:
            future, view = self._pending
            self._pending = None
            future.result()
            view.release()

    def _checkpoint(self) -> None:
        """Sync the content, then save the midstate; a full disk only costs reading it again."""
        self._settle()
        self._shared.medium.sync(self._descriptor, doomed=self._files.content)
        midstate = Midstate(self._hasher.algorithm, self._offset, self._hasher.state())
        with suppress(OSError):
            save_midstate(self._files, midstate, self._shared.medium)
        self._saved = self._offset


class Shared(NamedTuple):
    """What the stages of one store share."""

    medium: Medium
    executor: Executor
    hashes: Hashes
    checkpoint_bytes: int


class _Turn:
    """A lock that is refused with StageBusy rather than waited for."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise StageBusy("two threads use one stage at once")

    def __exit__(self, *_: object) -> None:
        self._lock.release()
