"""Taking a manifest in, and forgetting one: what several tables must agree on, in one transaction.

The safety of the registry stands here: the rows of all blobs that a manifest names are locked, in
sorted order, before anything is written, and each must be linked to this repository; only then do
the references and the tag appear. The collector locks the same rows before it dooms a blob.
"""

from moorage.ecr.records.image import Image
from moorage.ecr.records.repository import Repository
from moorage.ecr.rules.manifest import Parsed
from moorage.ecr.rules.mutability import may_move
from moorage.ecr.store import images, layers
from moorage.ground.record import Record, evolve
from moorage.kernel.images import TagDigest, claims_of, digest_of_tag, drop_tag, point_tag
from moorage.sql.transaction import Transaction

# How many of what keeps an image are named in a sentence.
NAMED_MAX = 5


class Pushed(Record):
    """A manifest that was pushed: its bytes as text, what they say, and the tags it is to have."""

    digest: str
    text: str
    parsed: Parsed
    tags: tuple[str, ...] = ()


class Accepted(Record):
    """The image as it is kept now; `moved` says whether a tag or the image itself is new."""

    image: Image
    moved: bool


class Missing(Record):
    """Blobs or manifests that the manifest names and this repository does not have."""

    blobs: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()


class TagTaken(Record):
    """A tag means another image already, and this repository does not move it."""

    tag: str


class InUse(Record):
    """Why an image stays: the indexes that name it, or who has claimed it."""

    indexes: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What the caller is told."""
        if self.indexes:
            return (
                "Requested image referenced by manifest list: "
                f"[{', '.join(self.indexes[:NAMED_MAX])}]"
            )
        return f"The image is in use by {', '.join(self.holders[:NAMED_MAX])}; stop that first."


def uses(tx: Transaction, repository: Repository, digest: str) -> InUse | None:
    """What keeps an image from being deleted, or None."""
    indexes = images.indexes_naming(tx, repository, digest)
    if indexes:
        return InUse(indexes=tuple(indexes))
    where = (repository.account, repository.region, repository.name)
    claims = claims_of(tx, *where, digest)
    return InUse(holders=tuple(claim.holder for claim in claims)) if claims else None


def accept(
    tx: Transaction, repository: Repository, pushed: Pushed
) -> Accepted | Missing | TagTaken:
    """Keep a manifest and point its tags at it, or say why not; then nothing is written."""
    missing = _missing(tx, repository, pushed.parsed)
    if missing is not None:
        return missing
    where = (repository.account, repository.region, repository.name)
    meant = {tag: digest_of_tag(tx, *where, tag) for tag in pushed.tags}
    for tag, digest in meant.items():
        if digest not in {None, pushed.digest} and not may_move(repository, tag):
            return TagTaken(tag=tag)
    image = images.get(tx, repository, pushed.digest)
    is_new = image is None
    if image is None:
        image = _new_image(tx, repository, pushed)
        images.put(tx, image, pushed.parsed.blobs, pushed.parsed.manifests)
    for tag in pushed.tags:
        account, region, name = where
        point_tag(
            tx,
            TagDigest(
                account=account, region=region, repository=name, tag=tag, digest=pushed.digest
            ),
        )
    moved = is_new or any(digest != pushed.digest for digest in meant.values())
    return Accepted(image=image, moved=moved)


def forget(tx: Transaction, repository: Repository, image: Image) -> None:
    """Delete an image with its tags; the links to its layers begin their grace."""
    for tag in images.tags_of_digest(tx, repository, image.digest):
        drop_tag(tx, image.account, image.region, image.repository, tag)
    for target in images.delete(tx, image):
        link = layers.get(tx, repository, target)
        if link is not None:
            layers.link(tx, evolve(link, linked_at=tx.now))


def _missing(tx: Transaction, repository: Repository, parsed: Parsed) -> Missing | None:
    """What is missing; where nothing is, the blobs' rows are locked, so that nothing goes either.

    The first look refuses cheaply, the second, under the locks, is the one that counts.
    """
    missing = _look(tx, repository, parsed)
    if missing is None:
        layers.lock(tx, parsed.blobs)
        missing = _look(tx, repository, parsed)
    return missing


def _look(tx: Transaction, repository: Repository, parsed: Parsed) -> Missing | None:
    linked = layers.present(tx, repository, parsed.blobs)
    there = images.present(tx, repository, parsed.manifests)
    blobs = tuple(one for one in parsed.blobs if one not in linked)
    manifests = tuple(one for one in parsed.manifests if one not in there)
    return Missing(blobs=blobs, manifests=manifests) if blobs or manifests else None


def _new_image(tx: Transaction, repository: Repository, pushed: Pushed) -> Image:
    children = (images.get(tx, repository, one) for one in pushed.parsed.manifests)
    largest = max((child.size for child in children if child is not None), default=0)
    return Image(
        account=repository.account,
        region=repository.region,
        repository=repository.name,
        digest=pushed.digest,
        media_type=pushed.parsed.media_type,
        manifest=pushed.text,
        size=max(pushed.parsed.size, largest),
        pushed_at=tx.now,
        artifact_type=pushed.parsed.artifact_type,
        subject=pushed.parsed.subject,
    )
