"""Blobs as files: what `moorage serve` keeps under its data folder.

    DATA/
    ├─ blobs/
    │  └─ plain/                         the keyspace; repositories with keys of their own come later
    │     ├─ sha256/00/ ... sha256/ff/   by the first two hex digits, all made at the start
    │     │         └─ <64 hex digits>   a whole blob, never written to again
    │     └─ sha512/00/ ... sha512/ff/
    │               └─ <128 hex digits>
    └─ uploads/                          on the same file system: a commit is a rename
       ├─ boot                           the boot of the machine that the uploads were written in
       ├─ <id>                           the bytes of one upload so far
       └─ <id>.midstate .new .committed  see staging.py

Folders have mode 0700, files 0600, and no symbolic link is followed to a blob or an upload. Paths
are made of parsed hex digits only.

A commit: sync the content; write `<id>.committed`; rename the content to its blob; sync the blob's
folder. A kill between any two of these steps leaves either an upload that can be committed again,
or a whole blob and the marker by which a repeated commit knows that it had been done.

After a loss of power a file may be longer than what of it reached the disk. So each boot of the
machine is told from the last by the kernel's boot id, and uploads of an earlier boot are cut to
what had been synced: the offset that a client is told never counts a byte that may be lost.
"""

import os
import stat as modes
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from moorage.blob.hashing import ALGORITHMS, HASHES, Hashes
from moorage.blob.medium import Medium, named_failures, read_small, remove, write_new
from moorage.blob.reading import FileBlob, files_in, modified_of
from moorage.blob.staging import (
    CHECKPOINT_BYTES,
    FileStage,
    Hashed,
    Shared,
    UploadFiles,
    files_of,
    hash_again,
    load_midstate,
)
from moorage.blob.store import (
    BlobFacts,
    DigestMismatch,
    StageBusy,
    StoreFailed,
    UploadFacts,
    UploadId,
    UploadUnknown,
    check_digest,
    parse_upload_id,
)
from moorage.ground.digest import DIGEST_LENGTH_MAX, Digest, parse_digest

RESTING_HASHES_MAX = 1024  # hashes of uploads that nobody writes to just now; then they are re-read
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_BOOT_ID_BYTES_MAX = 64
_SHARDS = tuple(f"{number:02x}" for number in range(256))
_UPLOAD_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


def boot_of_machine() -> str:
    """The kernel's id of this boot; empty where the system gives none (then none is told apart)."""
    text = read_small(_BOOT_ID, _BOOT_ID_BYTES_MAX) or b""
    return text.decode("ascii").strip()


class FilesystemBlobStore:
    """The BlobStore of a data folder, which must belong to this process alone."""

    def __init__(
        self,
        root: Path,
        medium: Medium | None = None,
        checkpoint_bytes: int = CHECKPOINT_BYTES,
        boot: str | None = None,
        hashes: Hashes = HASHES,
    ) -> None:
        """Make the folders under `root` where they are missing, and take up what is there.

        `boot` is the machine's boot id, asked for where it is None. Raises StoreFull, StoreFailed.
        """
        root = Path(os.path.realpath(root))
        self.medium = medium or Medium()
        self._blobs = root / "blobs" / "plain"
        self._uploads = root / "uploads"
        self._lock = threading.Lock()
        self._in_hand: dict[UploadId, FileStage | None] = {}
        self._resting: dict[UploadId, Hashed] = {}
        with named_failures("while opening the blob store"):
            self._make_folders(root)
            if self._blobs.stat().st_dev != self._uploads.stat().st_dev:
                raise StoreFailed(f"{root}: blobs and uploads must be on one file system")
            self._cut_uploads_of_another_boot(boot_of_machine() if boot is None else boot)
        executor = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="blob-hash")
        self._shared = Shared(self.medium, executor, hashes, checkpoint_bytes)

    def close(self) -> None:
        """End the hashing threads; call it when no stage is open."""
        self._shared.executor.shutdown()

    def stat(self, digest: Digest) -> BlobFacts | None:
        """What is known of a blob."""
        with named_failures("while looking for a blob"):
            try:
                facts = self._path(digest).stat(follow_symlinks=False)
            except FileNotFoundError:
                return None
        if not modes.S_ISREG(facts.st_mode):
            raise StoreFailed(f"{digest} is not a regular file")
        return BlobFacts(digest=digest, size=facts.st_size, modified=modified_of(facts))

    def open(self, digest: Digest) -> FileBlob | None:
        """The blob, opened."""
        with named_failures("while opening a blob"):
            try:
                descriptor = os.open(self._path(digest), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            return FileBlob(descriptor, os.fstat(descriptor).st_size)

    def stage(self, upload_id: UploadId, algorithm: str = "sha256") -> FileStage:
        """Take an upload in hand."""
        files = files_of(self._uploads, upload_id)
        self._take(upload_id)
        try:
            with named_failures("while staging"):
                descriptor = _open_content(files)
                try:
                    hashed = self._hashed(upload_id, files, descriptor, algorithm)
                except BaseException:
                    os.close(descriptor)
                    raise
        except BaseException:
            self._put_down(upload_id)
            raise
        stage = FileStage(
            descriptor,
            files,
            hashed,
            self._shared,
            lambda hashed: self._put_down(upload_id, hashed),
        )
        with self._lock:
            self._in_hand[upload_id] = stage
        return stage

    def staged(self, upload_id: UploadId) -> UploadFacts | None:
        """How far an upload has come."""
        with named_failures("while looking for an upload"):
            try:
                facts = files_of(self._uploads, upload_id).content.stat(follow_symlinks=False)
            except FileNotFoundError:
                return None
        with self._lock:
            stage = self._in_hand.get(upload_id)
        # An append in progress lengthens the file before it counts.
        size = facts.st_size if stage is None else stage.offset
        return UploadFacts(upload_id=upload_id, size=size, modified=modified_of(facts))

    def discard(self, upload_id: UploadId) -> None:
        """Forget an upload."""
        files = files_of(self._uploads, upload_id)
        with self._alone(upload_id), named_failures("while discarding an upload"):
            self._forget(upload_id, files)

    def commit(self, upload_id: UploadId, digest: Digest) -> BlobFacts:
        """Make the staged bytes the blob `digest`."""
        blob = self._path(digest)
        files = files_of(self._uploads, upload_id)
        with self._alone(upload_id), named_failures("while committing a blob"):
            try:
                descriptor = os.open(files.content, _UPLOAD_FLAGS)
            except FileNotFoundError:
                return self._committed_before(files, digest)
            try:
                hashed = self._hashed(upload_id, files, descriptor, digest.algorithm)
                found = hashed.hasher.hexdigest()
                if found != digest.hexadecimal:
                    self._forget(upload_id, files)
                    raise DigestMismatch(digest, found)
                os.utime(descriptor)
                self.medium.sync(descriptor, doomed=files.content)
                os.close(write_new(files.committed, str(digest).encode()))
                files.content.rename(blob)
                facts = os.fstat(descriptor)
            finally:
                os.close(descriptor)
            self.medium.sync_folder(blob.parent)
            with self._lock:
                self._resting.pop(upload_id, None)
            remove(files.midstate)
        return BlobFacts(digest=digest, size=facts.st_size, modified=modified_of(facts))

    def delete(self, digest: Digest) -> bool:
        """Remove a blob."""
        with named_failures("while deleting a blob"):
            return remove(self._path(digest))

    def walk(self) -> Iterator[BlobFacts]:
        """Every blob once; names that are no digests are passed over."""
        for algorithm in ALGORITHMS:
            for shard in _SHARDS:
                for name, facts in files_in(self._blobs / algorithm / shard):
                    digest = parse_digest(f"{algorithm}:{name}")
                    if digest is not None and name.startswith(shard):
                        yield BlobFacts(
                            digest=digest, size=facts.st_size, modified=modified_of(facts)
                        )

    def uploads(self) -> Iterator[UploadFacts]:
        """Every upload that is not discarded."""
        latest: UploadFacts | None = None
        # In the order of names, an upload's content comes right before its other files.
        for name, facts in files_in(self._uploads):
            upload_id = parse_upload_id(name.partition(".")[0])
            if upload_id is None or (latest is not None and latest.upload_id == upload_id):
                continue
            size = facts.st_size if name == upload_id else 0
            latest = UploadFacts(upload_id=upload_id, size=size, modified=modified_of(facts))
            yield latest

    def free_bytes(self) -> int:
        """The room above the reserve."""
        with named_failures("while looking for room"):
            descriptor = os.open(self._uploads, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                return self.medium.room(descriptor)
            finally:
                os.close(descriptor)

    def _path(self, digest: Digest) -> Path:
        check_digest(digest)
        name = digest.hexadecimal
        return self._blobs / digest.algorithm / name[:2] / name

    def _make_folders(self, root: Path) -> None:
        """Make all folders, then sync each, parents last: no commit has to make one."""
        root.mkdir(0o700, parents=True, exist_ok=True)
        algorithms = [self._blobs / algorithm for algorithm in ALGORITHMS]
        folders = [root / "blobs", self._blobs, self._uploads, *algorithms]
        shards = [folder / shard for folder in algorithms for shard in _SHARDS]
        for folder in (*folders, *shards):
            folder.mkdir(0o700, exist_ok=True)
        for folder in (*reversed(folders), root):
            self.medium.sync_folder(folder)

    def _cut_uploads_of_another_boot(self, boot: str) -> None:
        """Cut each upload to what was synced, where the machine was started since."""
        path = self._uploads / "boot"
        if (read_small(path, _BOOT_ID_BYTES_MAX) or b"").decode("ascii", "replace") == boot:
            return
        for facts in self.uploads():
            files = files_of(self._uploads, facts.upload_id)
            synced = load_midstate(files).offset
            if facts.size > synced:
                os.truncate(files.content, synced)
        descriptor = write_new(path, boot.encode())
        self.medium.sync(descriptor)
        os.close(descriptor)

    def _take(self, upload_id: UploadId) -> None:
        with self._lock:
            if upload_id in self._in_hand:
                raise StageBusy(f"upload {upload_id} is in other hands")
            self._in_hand[upload_id] = None

    def _put_down(self, upload_id: UploadId, hashed: Hashed | None = None) -> None:
        with self._lock:
            del self._in_hand[upload_id]
            if hashed is not None:
                self._resting[upload_id] = hashed
                if len(self._resting) > RESTING_HASHES_MAX:
                    del self._resting[next(iter(self._resting))]

    @contextmanager
    def _alone(self, upload_id: UploadId) -> Iterator[None]:
        self._take(upload_id)
        try:
            yield
        finally:
            self._put_down(upload_id)

    def _hashed(
        self, upload_id: UploadId, files: UploadFiles, descriptor: int, algorithm: str
    ) -> Hashed:
        """The hash of the content: as the last writer left it, else read again. OSError."""
        with self._lock:
            hashed = self._resting.get(upload_id)
        if (
            hashed is not None
            and hashed.hasher.algorithm == algorithm
            and hashed.offset == os.fstat(descriptor).st_size
        ):
            return hashed
        return hash_again(self._shared.hashes, descriptor, files, algorithm)

    def _forget(self, upload_id: UploadId, files: UploadFiles) -> None:
        with self._lock:
            self._resting.pop(upload_id, None)
        files.remove()

    def _committed_before(self, files: UploadFiles, digest: Digest) -> BlobFacts:
        """The answer to a repeated commit; UploadUnknown unless this upload became this blob."""
        marker = read_small(files.committed, DIGEST_LENGTH_MAX)
        facts = self.stat(digest) if marker == str(digest).encode() else None
        if facts is None:
            raise UploadUnknown("nothing is staged under this id")
        # The process may have ended between the rename and this.
        self.medium.sync_folder(self._path(digest).parent)
        return facts


def _open_content(files: UploadFiles) -> int:
    """The content of an upload, new or as it is; UploadUnknown where it was committed. OSError."""
    if os.path.lexists(files.committed) and not os.path.lexists(files.content):
        raise UploadUnknown("the upload was committed")
    return os.open(files.content, _UPLOAD_FLAGS | os.O_CREAT, 0o600)
