"""The tables of blobs and of the links that repositories have to them."""

from collections.abc import Collection, Iterable

from moorage.ecr.records.layer import Blob, Layer
from moorage.ecr.records.repository import Repository
from moorage.ground.instant import between, hours
from moorage.ground.record import evolve
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

BLOBS = Table(
    "blobs",
    Blob,
    keys=("digest",),
    columns=("doomed_at", "links_changed_at"),
    indices=(("doomed_at",), ("links_changed_at",)),
)
LAYERS = Table(
    "layers",
    Layer,
    keys=("account", "region", "repository", "digest"),
    columns=("linked_at",),
    indices=(("digest",), ("linked_at",)),
)
_LINKS = LAYERS.query("digest")
_OF_REPOSITORY = LAYERS.query("account", "region", "repository")
_AMONG = LAYERS.query("account", "region", "repository", among="digest")
_OLDEST_LINKS = LAYERS.query(order=("linked_at",))
_DOOMED = BLOBS.query(greater="doomed_at", order=("doomed_at",))
_CHANGED = BLOBS.query(greater="links_changed_at", order=("links_changed_at",))
_EVERY_BLOB = BLOBS.query()
BEGINNING = -1
# Half of the grace that the collector gives to links which no manifest names.
LINK_STALE = hours(12)


def get(tx: Transaction, repository: Repository, digest: str) -> Layer | None:
    """The link of a repository to a blob; without it the blob is unknown there."""
    return LAYERS.get(tx, repository.account, repository.region, repository.name, digest)


def present(tx: Transaction, repository: Repository, digests: Collection[str]) -> set[str]:
    """Those of `digests` that the repository has a link to."""
    found = _AMONG.keys(
        tx,
        account=repository.account,
        region=repository.region,
        repository=repository.name,
        digest=digests,
    )
    return {str(key[-1]) for key in found}


def get_blob(tx: Transaction, digest: str) -> Blob | None:
    """The blob of that digest, for one look: `lock` is for those who then decide."""
    return BLOBS.get(tx, digest)


def lock(tx: Transaction, digests: Iterable[str]) -> dict[str, Blob]:
    """Lock the rows of blobs in sorted order, so that two that want the same never deadlock."""
    found = ((digest, BLOBS.lock(tx, digest)) for digest in sorted(set(digests)))
    return {digest: blob for digest, blob in found if blob is not None}


def store(tx: Transaction, blob: Blob) -> None:
    """Say that a blob's bytes are there, and take back its tombstone."""
    BLOBS.put(tx, blob)


def link(tx: Transaction, layer: Layer) -> None:
    """Give a repository the right to a blob."""
    LAYERS.put(tx, layer)


def renew(tx: Transaction, layer: Layer) -> None:
    """Let a link's grace begin again: whoever was told that the blob is there will name it soon."""
    if is_stale(tx, layer):
        LAYERS.put(tx, evolve(layer, linked_at=tx.now))


def is_stale(tx: Transaction, layer: Layer) -> bool:
    """Whether a link is old enough to be renewed."""
    return between(layer.linked_at, tx.now) > LINK_STALE


def unlink(tx: Transaction, repository: Repository, digest: str) -> bool:
    """Take a repository's right to a blob; False where it had none."""
    link = get(tx, repository, digest)
    if link is not None:
        unlink_link(tx, link)
    return link is not None


def unlink_link(tx: Transaction, link: Layer) -> None:
    """Take a link, and mark its blob for the collector's look."""
    LAYERS.delete(tx, link.account, link.region, link.repository, link.digest)
    blob = BLOBS.lock(tx, link.digest)
    if blob is not None:
        BLOBS.put(tx, evolve(blob, links_changed_at=tx.now))


def unlink_all(tx: Transaction, repository: Repository) -> None:
    """Take all rights of a repository that is deleted."""
    for link in _OF_REPOSITORY.all(
        tx, account=repository.account, region=repository.region, repository=repository.name
    ):
        unlink_link(tx, link)


def is_linked(tx: Transaction, digest: str) -> bool:
    """Whether any repository has a right to a blob."""
    return bool(_LINKS.all(tx, digest=digest, limit=1))


def oldest_links(tx: Transaction, limit: int) -> list[Layer]:
    """Links in the order in which they were made or last found in use."""
    return _OLDEST_LINKS.all(tx, limit=limit)


def lonely(tx: Transaction, limit: int) -> list[str]:
    """Digests of blobs that lost a link and were not looked at since; each is answered once."""
    found = _CHANGED.all(tx, links_changed_at=BEGINNING, limit=limit)
    for blob in found:
        BLOBS.put(tx, evolve(blob, links_changed_at=None))
    return [blob.digest for blob in found]


def doomed(tx: Transaction, limit: int) -> list[Blob]:
    """Blobs with a tombstone, the oldest first."""
    return _DOOMED.all(tx, doomed_at=BEGINNING, limit=limit)


def every_blob(tx: Transaction) -> list[Blob]:
    """All blobs that rows name, by digest."""
    return _EVERY_BLOB.all(tx)


def forget(tx: Transaction, digest: str) -> None:
    """Forget a blob whose bytes are about to go."""
    BLOBS.delete(tx, digest)
