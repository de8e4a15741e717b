"""A file system of 8 MiB that runs full (fault F50)."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.blob.filesystem import FilesystemBlobStore
from moorage.blob.medium import Medium
from moorage.blob.store import StoreFailed, StoreFull
from moorage.ground.digest import digest_of
from tests.contract.blob_store_rig import an_id, get, octets, put

pytestmark = pytest.mark.engine  # mounting needs root

DISK_BYTES = 8 << 20
INODES = 2000
RESERVE_BYTES = 2 << 20
PIECE = 300 << 10
PIECES_MAX = 100


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={DISK_BYTES},nr_inodes={INODES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(stage) -> bytes:
    """Append until it is refused; what was taken."""
    taken = b""
    for number in range(PIECES_MAX):
        piece = octets(PIECE, number)
        try:
            stage.append(piece)
        except StoreFull:
            return taken
        taken += piece
    raise AssertionError("a disk of 8 MiB took 30")


def write_zeros(path: Path, size: int) -> None:
    with path.open("wb", buffering=0) as file:
        while file.tell() < size:
            file.write(bytes(4096))


def stage_many(store: FilesystemBlobStore, count: int) -> None:
    for number in range(count):
        store.stage(an_id(number)).close()


@pytest.mark.parametrize("reserve", [RESERVE_BYTES, 0])
def test_a_full_disk_refuses_by_name_keeps_what_it_has_and_works_again_at_once(disk, reserve):
    """Without a reserve the kernel itself refuses, in the middle of a write."""
    store = FilesystemBlobStore(disk, Medium(reserve_bytes=reserve))
    old = [(put(store, an_id(number), octets(5000, number)), number) for number in range(10)]
    with store.stage(an_id(20)) as stage:
        taken = fill(stage)
        assert len(taken) > DISK_BYTES // 2
        assert stage.offset == len(taken)
        assert (disk / "uploads" / an_id(20)).stat().st_size == len(taken)
        facts = os.statvfs(disk)
        assert facts.f_bavail * facts.f_frsize >= reserve
        for digest, number in old:
            assert get(store, digest) == octets(5000, number)
        for digest, _ in old[:5]:
            assert store.delete(digest)
        room = store.free_bytes()
        assert 0 < room < PIECE * 2
        stage.append(octets(min(room, 20_000), 77))
        taken += octets(min(room, 20_000), 77)
        assert stage.hexdigest() == digest_of(taken).hexadecimal
    store.close()
    again = FilesystemBlobStore(disk, Medium(reserve_bytes=reserve))
    again.delete(old[9][0])
    assert again.commit(an_id(20), digest_of(taken)).size == len(taken)
    assert get(again, digest_of(taken)) == taken
    again.close()


def test_a_commit_that_finds_no_room_can_be_repeated(disk):
    store = FilesystemBlobStore(disk, Medium(reserve_bytes=0))
    with store.stage(an_id(1)) as stage:
        stage.append(octets(PIECE))
    ballast = disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        write_zeros(ballast, 2 * DISK_BYTES)
    digest = digest_of(octets(PIECE))
    for _ in range(2):
        with pytest.raises(StoreFull):
            store.commit(an_id(1), digest)
        assert store.stat(digest) is None
        facts = store.staged(an_id(1))
        assert facts is not None
        assert facts.size == PIECE
    ballast.unlink()
    assert store.commit(an_id(1), digest).size == PIECE
    store.close()


def test_no_inode_left_is_a_full_store(disk):
    store = FilesystemBlobStore(disk, Medium(reserve_bytes=0))
    with pytest.raises(StoreFull):
        stage_many(store, INODES)
    assert INODES // 2 < len(list(store.uploads())) < INODES
    store.discard(an_id(0))
    store.stage(an_id(0)).close()
    store.close()


def test_a_read_only_disk_fails_by_name_and_pulls_go_on(disk):
    store = FilesystemBlobStore(disk, Medium(reserve_bytes=0))
    digest = put(store, an_id(1), b"old")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(StoreFailed, match="Read-only"):
        store.stage(an_id(2))
    with pytest.raises(StoreFailed, match="Read-only"):
        store.delete(digest)
    assert get(store, digest) == b"old"
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    put(store, an_id(2), b"new")
    store.close()
