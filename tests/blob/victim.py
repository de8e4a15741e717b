"""A program that writes to a store until it is killed; started by test_kill.py.

`append ROOT SEED` appends a stream to upload 1 in buffers of all sizes. `commit ROOT SEED` commits
one upload after the other and says so, in a line each, once the store has acknowledged it.
"""

import sys
from pathlib import Path

from moorage.blob.filesystem import FilesystemBlobStore
from moorage.blob.medium import Medium
from moorage.ground.chance import SeededChance
from moorage.ground.digest import digest_of
from tests.contract.blob_store_rig import an_id, octets

STREAM_BYTES = 64 << 20
BUFFER_BYTES_MAX = 1 << 20
CHECKPOINT_BYTES = 3 << 20
COMMITS_MAX = 5000
BLOB_BYTES_MAX = 20_000


def open_store(root: Path) -> FilesystemBlobStore:
    return FilesystemBlobStore(root, Medium(reserve_bytes=0), CHECKPOINT_BYTES)


def stream(seed: int) -> bytes:
    return octets(STREAM_BYTES, seed)


def blob(seed: int, number: int) -> bytes:
    return octets(1 + SeededChance(seed * COMMITS_MAX + number).below(BLOB_BYTES_MAX), number)


def append(root: Path, seed: int) -> None:
    chance = SeededChance(seed)
    content = memoryview(stream(seed))
    with open_store(root).stage(an_id(1)) as stage:
        while stage.offset < len(content):
            size = 1 + chance.below(BUFFER_BYTES_MAX)
            stage.append(content[stage.offset : stage.offset + size])


def commit(root: Path, seed: int) -> None:
    store = open_store(root)
    for number in range(COMMITS_MAX):
        content = blob(seed, number)
        with store.stage(an_id(number)) as stage:
            stage.append(content)
        store.commit(an_id(number), digest_of(content))
        print(number, flush=True)  # noqa: T201 - the acknowledgement
        if number % 2:
            store.discard(an_id(number))


if __name__ == "__main__":
    {"append": append, "commit": commit}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
