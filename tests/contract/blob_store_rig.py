"""What the suite of the port BlobStore needs: a store, what may befall it, and short cuts."""

import hashlib
from typing import Protocol

from moorage.blob.store import BlobStore, UploadId, parse_upload_id
from moorage.ground.digest import Digest, digest_of

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
