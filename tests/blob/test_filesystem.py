"""The file store keeps the contract in every setting, and what only files can promise."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from moorage.blob.filesystem import FilesystemBlobStore, boot_of_machine
from moorage.blob.hashing import HASHES, Hashes
from moorage.blob.medium import Medium
from moorage.blob.staging import CHECKPOINT_BYTES
from moorage.blob.store import DigestMismatch, StoreFailed, StoreFull
from moorage.ground.digest import digest_of
from tests.contract.blob_store import BlobStoreContract
from tests.contract.blob_store_rig import LARGE, Rig, an_id, get, octets, put

NO_ROOM = 1 << 62
# The contract is about order, not about the disk: in memory where the system has such a folder.
SHARED_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


class FileRig:
    """A folder, and the stores that were opened on it one after the other."""

    def __init__(self, root: Path, checkpoint_bytes: int, hashes: Hashes) -> None:
        self.root = root
        self.checkpoint_bytes = checkpoint_bytes
        self.hashes = hashes
        self.medium = Medium(reserve_bytes=0)
        self.opened: list[FilesystemBlobStore] = []
        self.restart()

    def restart(self) -> None:
        self.store = FilesystemBlobStore(
            self.root, self.medium, self.checkpoint_bytes, hashes=self.hashes
        )
        self.opened.append(self.store)

    def fill(self) -> None:
        self.medium.reserve_bytes = NO_ROOM

    def make_room(self) -> None:
        self.medium.reserve_bytes = 0

    def close(self) -> None:
        for store in self.opened:
            store.close()


class FileContract(BlobStoreContract):
    checkpoint_bytes = CHECKPOINT_BYTES
    hashes = HASHES

    @contextmanager
    def rig(self) -> Iterator[Rig]:
        with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as folder:
            rig = FileRig(Path(folder), self.checkpoint_bytes, self.hashes)
            yield rig
            rig.close()


class TestFilesystem(FileContract):
    pass


class TestFilesystemWithACheckpointEveryFewBytes(FileContract):
    checkpoint_bytes = 100


class TestFilesystemWithoutLibcrypto(FileContract):
    hashes = Hashes({})
    checkpoint_bytes = 1000


@pytest.fixture
def store(tmp_path) -> Iterator[FilesystemBlobStore]:
    store = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0))
    yield store
    store.close()


def blob_file(root: Path, content: bytes) -> Path:
    name = digest_of(content).hexadecimal
    return root / "blobs" / "plain" / "sha256" / name[:2] / name


def test_files_lie_where_the_picture_says_and_are_ours_alone(tmp_path, store):
    put(store, an_id(1), b"content")
    with store.stage(an_id(2)) as stage:
        stage.append(b"part")
    assert blob_file(tmp_path, b"content").read_bytes() == b"content"
    assert (tmp_path / "uploads" / an_id(2)).read_bytes() == b"part"
    store.discard(an_id(1))
    assert sorted(path.name for path in (tmp_path / "uploads").iterdir()) == [an_id(2), "boot"]
    for path in tmp_path.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_blob_is_sent_by_the_kernel(tmp_path, store):
    blob = store.open(put(store, an_id(1), octets(1000)))
    assert blob is not None
    with blob, (tmp_path / "sent").open("wb") as sent:
        descriptor = blob.fileno()
        assert descriptor is not None
        assert os.sendfile(sent.fileno(), descriptor, 100, 300) == 300
    assert (tmp_path / "sent").read_bytes() == octets(1000)[100:400]


def test_names_that_are_no_digest_are_passed_over(tmp_path, store):
    digest = put(store, an_id(1), b"blob")
    folder = blob_file(tmp_path, b"blob").parent
    (folder / "lost+found").mkdir()
    (folder / "README").write_text("not ours")
    (folder / ("f" * 63)).write_text("too short")
    other = "00" if folder.name != "00" else "01"
    (folder / (other + "0" * 62)).write_text("of another folder")
    (tmp_path / "uploads" / "stray").write_text("not ours")
    assert [facts.digest for facts in store.walk()] == [digest]
    assert [facts.upload_id for facts in store.uploads()] == [an_id(1)]


def test_no_link_is_followed(tmp_path, store):
    outside = tmp_path / "outside"
    outside.write_text("outside")
    planted = digest_of(b"planted")
    blob_file(tmp_path, b"planted").symlink_to(outside)
    (tmp_path / "uploads" / an_id(1)).symlink_to(outside)
    for use in (store.stat, store.open):
        with pytest.raises(StoreFailed):
            use(planted)
    with pytest.raises(StoreFailed):
        store.stage(an_id(1))
    with pytest.raises(StoreFailed):
        store.commit(an_id(1), planted)
    assert list(store.walk()) == []
    assert list(store.uploads()) == []
    assert outside.read_text() == "outside"


def test_a_data_folder_may_itself_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    store = FilesystemBlobStore(tmp_path / "link")
    put(store, an_id(1), b"blob")
    store.close()
    assert blob_file(tmp_path / "disk", b"blob").read_bytes() == b"blob"


def test_modified_is_when_it_was_committed_not_when_it_was_sent(tmp_path, store):
    """A collector's grace must begin at the commit of an upload that took a day."""
    with store.stage(an_id(1)) as stage:
        stage.append(b"slow")
    os.utime(tmp_path / "uploads" / an_id(1), (1, 1))
    (upload,) = store.uploads()
    assert upload.modified == 1_000_000
    assert store.commit(an_id(1), digest_of(b"slow")).modified > 1_600_000_000_000_000


@pytest.mark.parametrize("damage", [b"", b"bl0b", b"blobs"])
def test_a_damaged_blob_is_repaired_by_pushing_it_again(tmp_path, store, damage):
    digest = put(store, an_id(1), b"blob")
    blob_file(tmp_path, b"blob").write_bytes(damage)
    put(store, an_id(2), b"blob")
    assert get(store, digest) == b"blob"


@pytest.mark.parametrize("damage", [b"", b"junk" * 50, None])
def test_a_damaged_midstate_only_costs_a_reading(tmp_path, damage):
    first = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0), checkpoint_bytes=10)
    with first.stage(an_id(1)) as stage:
        stage.append(octets(100))
    first.close()
    midstate = tmp_path / "uploads" / f"{an_id(1)}.midstate"
    saved = midstate.read_bytes()
    midstate.write_bytes(saved[:-1] if damage is None else damage)
    second = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0))
    assert second.commit(an_id(1), digest_of(octets(100))).size == 100
    second.close()


def test_the_midstate_is_what_a_resume_goes_on_from(tmp_path):
    """Bytes that it covers are not read again.

    The law would hold without it, at the price of reading all. So they are exchanged behind its
    back here, and it must not notice.
    """
    first = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0), checkpoint_bytes=10)
    with first.stage(an_id(1)) as stage:
        stage.append(octets(100))
        stage.append(b"tail")
    first.close()
    content = tmp_path / "uploads" / an_id(1)
    content.write_bytes(b"\0" * 100 + b"tail")
    second = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0))
    with second.stage(an_id(1)) as stage:
        assert stage.hexdigest() == digest_of(octets(100) + b"tail").hexadecimal
    second.close()


def test_a_midstate_beyond_the_end_of_the_content_is_not_believed(tmp_path):
    first = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0), checkpoint_bytes=10)
    with first.stage(an_id(1)) as stage:
        stage.append(octets(100))
    first.close()
    os.truncate(tmp_path / "uploads" / an_id(1), 60)
    second = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0))
    with second.stage(an_id(1)) as stage:
        assert stage.offset == 60
        assert stage.hexdigest() == digest_of(octets(100)[:60]).hexadecimal
    second.close()


def test_uploads_of_an_earlier_boot_are_cut_to_what_was_synced(tmp_path):
    """After a loss of power the tail of a file may be holes that its length counts."""
    first = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0), 50, boot="first")
    with first.stage(an_id(1)) as stage:
        stage.append(octets(60))
        stage.append(octets(30, 1))
    with first.stage(an_id(2)) as stage:
        stage.append(octets(30))
    whole = put(first, an_id(3), b"whole")
    first.close()
    same = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0), boot="first")
    assert [facts.size for facts in same.uploads()] == [90, 30, 0]
    same.close()
    second = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0), boot="second")
    assert [facts.size for facts in second.uploads()] == [60, 0, 0]
    with second.stage(an_id(1)) as stage:
        stage.append(b"again")
    assert second.commit(an_id(1), digest_of(octets(60) + b"again")).size == 65
    assert second.commit(an_id(3), whole).size == 5
    second.close()


def test_this_machine_has_a_boot_id():
    assert len(boot_of_machine()) == 36


def test_the_reserve_is_kept_for_the_database(tmp_path):
    facts = os.statvfs(tmp_path)
    free = facts.f_bavail * facts.f_frsize
    store = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=free // 2))
    assert 0 < store.free_bytes() < free
    store.medium.reserve_bytes = NO_ROOM
    with store.stage(an_id(1)) as stage, pytest.raises(StoreFull, match="above the reserve"):
        stage.append(b"x")
    store.close()


class Ended(Exception):  # noqa: N818 - what happened, not an error of ours
    """What a test does instead of ending the process."""


class FailingDisk:
    """A disk whose syncs begin to fail."""

    def __init__(self) -> None:
        self.syncs_left = NO_ROOM
        self.errors: list[OSError] = []

    def fsync(self, descriptor: int) -> None:
        os.fsync(descriptor)
        self.syncs_left -= 1
        if self.syncs_left < 0:
            raise OSError(5, "Input/output error")

    def end(self, error: OSError) -> None:
        self.errors.append(error)
        raise Ended

    def medium(self) -> Medium:
        return Medium(0, self.fsync, self.end)


@pytest.mark.parametrize(("syncs", "visible"), [(0, False), (1, True)])
def test_a_failed_sync_in_a_commit_ends_the_process(tmp_path, syncs, visible):
    """The content's sync comes before the rename, the folder's after: neither is acknowledged."""
    disk = FailingDisk()
    store = FilesystemBlobStore(tmp_path, disk.medium())
    with store.stage(an_id(1)) as stage:
        stage.append(b"lost")
    disk.syncs_left = syncs
    with pytest.raises(Ended):
        store.commit(an_id(1), digest_of(b"lost"))
    assert len(disk.errors) == 1
    store.close()
    after = FilesystemBlobStore(tmp_path, Medium(reserve_bytes=0))
    assert (after.stat(digest_of(b"lost")) is not None) == visible
    assert after.staged(an_id(1)) is None, "bytes that failed to sync are not committed later"
    after.close()


def test_a_failed_sync_at_a_checkpoint_ends_the_process(tmp_path):
    disk = FailingDisk()
    store = FilesystemBlobStore(tmp_path, disk.medium(), checkpoint_bytes=10)
    stage = store.stage(an_id(1))
    disk.syncs_left = 0
    with pytest.raises(Ended):
        stage.append(octets(LARGE))
    stage.close()
    store.close()
    assert not (tmp_path / "uploads" / an_id(1)).exists()


def test_a_kill_between_the_marker_and_the_rename_can_be_committed_again(tmp_path, store):
    with store.stage(an_id(1)) as stage:
        stage.append(b"abc")
    (tmp_path / "uploads" / f"{an_id(1)}.committed").write_text(str(digest_of(b"abc")))
    with store.stage(an_id(1)) as stage:
        assert stage.offset == 3
    assert [facts.size for facts in store.uploads()] == [3]
    store.commit(an_id(1), digest_of(b"abc"))
    assert get(store, digest_of(b"abc")) == b"abc"


def test_a_wrong_digest_leaves_no_file(tmp_path, store):
    with store.stage(an_id(1)) as stage:
        stage.append(b"abc")
    with pytest.raises(DigestMismatch):
        store.commit(an_id(1), digest_of(b"abd"))
    assert [path.name for path in (tmp_path / "uploads").iterdir()] == ["boot"]
