"""The tables of images and of what their manifests name."""

from collections.abc import Collection

from moorage.ecr.records.image import Image, Reference
from moorage.ecr.records.repository import Repository
from moorage.ground.instant import between, hours
from moorage.ground.record import evolve
from moorage.kernel.images import TAG_DIGESTS, TagDigest, digest_of_tag
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

IMAGES = Table("images", Image, keys=("account", "region", "repository", "digest"))
REFERENCES = Table(
    "image_references",
    Reference,
    keys=("account", "region", "repository", "digest", "target"),
    indices=(("account", "region", "repository", "target"),),
)
# lastRecordedPullTime is refreshed at least once a day in ECR; ours within the hour.
PULL_TIME_STALE = hours(1)
_OF_REPOSITORY = IMAGES.query("account", "region", "repository", order=("digest",))
_FIRST = IMAGES.query("account", "region", "repository")
_NAMED_IN = REFERENCES.query("account", "region", "repository")
_NAMED_BY = REFERENCES.query("account", "region", "repository", "digest")
_NAMING = REFERENCES.query("account", "region", "repository", "target")
_TAGS = TAG_DIGESTS.query("account", "region", "repository", order=("tag",))
_TAGS_OF_DIGEST = TAG_DIGESTS.query("account", "region", "repository", "digest")
_AMONG = IMAGES.query("account", "region", "repository", among="digest")
_TAGS_AFTER = TAG_DIGESTS.query("account", "region", "repository", greater="tag")


def get(tx: Transaction, repository: Repository, digest: str) -> Image | None:
    """The image of that digest."""
    return IMAGES.get(tx, repository.account, repository.region, repository.name, digest)


def digests_of(tx: Transaction, repository: Repository) -> list[str]:
    """The digests of all images of a repository, in order."""
    keys = _OF_REPOSITORY.keys(
        tx, account=repository.account, region=repository.region, repository=repository.name
    )
    return [str(key[-1]) for key in keys]


def present(tx: Transaction, repository: Repository, digests: Collection[str]) -> set[str]:
    """Those of `digests` that are images of the repository."""
    found = _AMONG.keys(
        tx,
        account=repository.account,
        region=repository.region,
        repository=repository.name,
        digest=digests,
    )
    return {str(key[-1]) for key in found}


def digest_of(tx: Transaction, repository: Repository, tag: str) -> str | None:
    """The digest that a tag means now."""
    return digest_of_tag(tx, repository.account, repository.region, repository.name, tag)


def is_empty(tx: Transaction, repository: Repository) -> bool:
    """Whether a repository holds no image."""
    return not _FIRST.all(
        tx,
        account=repository.account,
        region=repository.region,
        repository=repository.name,
        limit=1,
    )


def put(tx: Transaction, image: Image, blobs: tuple[str, ...], manifests: tuple[str, ...]) -> None:
    """Keep an image and what its manifest names."""
    IMAGES.put(tx, image)
    for target in (*blobs, *manifests):
        REFERENCES.put(
            tx,
            Reference(
                account=image.account,
                region=image.region,
                repository=image.repository,
                digest=image.digest,
                target=target,
                is_manifest=target in manifests,
            ),
        )


def is_pull_time_stale(tx: Transaction, image: Image) -> bool:
    """Whether the recorded time of the last pull is worth a write."""
    return image.pulled_at is None or between(image.pulled_at, tx.now) > PULL_TIME_STALE


def mark_pulled(tx: Transaction, image: Image) -> None:
    """Remember that an image was pulled now, unless that was known well enough."""
    if is_pull_time_stale(tx, image):
        IMAGES.put(tx, evolve(image, pulled_at=tx.now))


def delete(tx: Transaction, image: Image) -> list[str]:
    """Forget an image; answers what its manifest named."""
    where = {
        "account": image.account,
        "region": image.region,
        "repository": image.repository,
        "digest": image.digest,
    }
    named = [one.target for one in _NAMED_BY.all(tx, limit=None, **where)]
    _NAMED_BY.delete(tx, **where)
    IMAGES.delete(tx, image.account, image.region, image.repository, image.digest)
    return named


def delete_all(tx: Transaction, repository: Repository) -> None:
    """Forget all images of a repository that is deleted."""
    for query in (_NAMED_IN, _FIRST):
        query.delete(
            tx,
            account=repository.account,
            region=repository.region,
            repository=repository.name,
        )


def indexes_naming(tx: Transaction, repository: Repository, digest: str) -> list[str]:
    """The digests of the indexes of this repository that name a manifest."""
    found = _NAMING.all(
        tx,
        account=repository.account,
        region=repository.region,
        repository=repository.name,
        target=digest,
    )
    return [one.digest for one in found if one.is_manifest]


def is_named(tx: Transaction, repository: Repository, target: str) -> bool:
    """Whether any manifest of this repository names a blob."""
    return bool(
        _NAMING.all(
            tx,
            account=repository.account,
            region=repository.region,
            repository=repository.name,
            target=target,
            limit=1,
        )
    )


def tags_of(tx: Transaction, repository: Repository) -> list[TagDigest]:
    """All tags of a repository, in the order of their names."""
    return _TAGS.all(
        tx, account=repository.account, region=repository.region, repository=repository.name
    )


def tags_of_digest(tx: Transaction, repository: Repository, digest: str) -> list[str]:
    """The tags of an image, in order."""
    found = _TAGS_OF_DIGEST.keys(
        tx,
        account=repository.account,
        region=repository.region,
        repository=repository.name,
        digest=digest,
    )
    return [str(key[-1]) for key in found]


def tags_after(tx: Transaction, repository: Repository, after: str, limit: int) -> list[TagDigest]:
    """At most `limit` tags of a repository whose names come after `after`, in their order."""
    return _TAGS_AFTER.all(
        tx,
        account=repository.account,
        region=repository.region,
        repository=repository.name,
        tag=after or None,
        limit=limit,
    )
