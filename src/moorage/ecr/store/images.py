"""The tables of images and of what their manifests name."""

from moorage.ecr.records.image import Image, Reference
from moorage.ecr.records.repository import Repository
from moorage.kernel.images import TAG_DIGESTS, TagDigest
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

IMAGES = Table("images", Image, keys=("account", "region", "repository", "digest"))
REFERENCES = Table(
    "image_references",
    Reference,
    keys=("account", "region", "repository", "digest", "target"),
    indices=(("account", "region", "repository", "target"), ("target",)),
)
_OF_REPOSITORY = IMAGES.query("account", "region", "repository", order=("digest",))
_FIRST = IMAGES.query("account", "region", "repository")
_NAMED_BY = REFERENCES.query("account", "region", "repository", "digest")
_NAMING = REFERENCES.query("account", "region", "repository", "target")
_NAMING_ANYWHERE = REFERENCES.query("target")
_TAGS = TAG_DIGESTS.query("account", "region", "repository", order=("tag",))


def get(tx: Transaction, repository: Repository, digest: str) -> Image | None:
    """The image of that digest."""
    return IMAGES.get(tx, repository.account, repository.region, repository.name, digest)


def of_repository(tx: Transaction, repository: Repository) -> list[Image]:
    """All images of a repository, by digest."""
    return _OF_REPOSITORY.all(
        tx, account=repository.account, region=repository.region, repository=repository.name
    )


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


def touch(tx: Transaction, image: Image) -> None:
    """Keep a changed image whose manifest is the same."""
    IMAGES.put(tx, image)


def delete(tx: Transaction, image: Image) -> list[str]:
    """Forget an image; answers what its manifest named."""
    where = {"account": image.account, "region": image.region, "repository": image.repository}
    named = [one.target for one in _NAMED_BY.all(tx, digest=image.digest, **where)]
    _NAMED_BY.delete(tx, digest=image.digest, **where)
    IMAGES.delete(tx, image.account, image.region, image.repository, image.digest)
    return named


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


def is_named_anywhere(tx: Transaction, target: str) -> bool:
    """Whether any manifest of any repository names a blob."""
    return bool(_NAMING_ANYWHERE.all(tx, target=target, limit=1))


def tags_of(tx: Transaction, repository: Repository) -> list[TagDigest]:
    """All tags of a repository, in the order of their names."""
    return _TAGS.all(
        tx, account=repository.account, region=repository.region, repository=repository.name
    )
