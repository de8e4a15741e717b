"""The two tables between the houses: what the registry's tags mean, and which images are in use.

`tag_digests`: ecr writes a row for each tag (and, with an empty tag, none), ecs reads it to pin
the digest of an image of ours when a deployment is made. `image_claims`: ecs writes a row for each
image that a service revision or a running task uses, ecr reads it before it expires or collects
anything. So the registry and the cluster need not know each other.
"""

from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction


class TagDigest(Record):
    """What one tag of one repository means now."""

    account: str
    region: str
    repository: str
    tag: str
    digest: str


class ImageClaim(Record):
    """One use of one image: `holder` is the ARN of what uses it (a service revision, a task)."""

    account: str
    region: str
    repository: str
    digest: str
    holder: str
    claimed_at: Instant


TAG_DIGESTS = Table(
    "tag_digests",
    TagDigest,
    keys=("account", "region", "repository", "tag"),
    columns=("digest",),
    indices=(("account", "region", "repository", "digest"),),
)
IMAGE_CLAIMS = Table(
    "image_claims",
    ImageClaim,
    keys=("account", "region", "repository", "digest", "holder"),
    indices=(("holder",),),
)
_CLAIMS_OF_IMAGE = IMAGE_CLAIMS.query("account", "region", "repository", "digest")
_CLAIMS_OF_HOLDER = IMAGE_CLAIMS.query("holder")
_TAGS_OF_REPOSITORY = TAG_DIGESTS.query("account", "region", "repository")


def digest_of_tag(
    tx: Transaction, account: str, region: str, repository: str, tag: str
) -> str | None:
    """The digest that a tag means now, or None where the tag or its repository is not there."""
    found = TAG_DIGESTS.get(tx, account, region, repository, tag)
    return found.digest if found else None


def point_tag(tx: Transaction, tag: TagDigest) -> None:
    """Let a tag mean a digest from now on."""
    TAG_DIGESTS.put(tx, tag)


def drop_tag(tx: Transaction, account: str, region: str, repository: str, tag: str) -> bool:
    """Forget a tag; False where there was none."""
    return TAG_DIGESTS.delete(tx, account, region, repository, tag)


def drop_tags_of(tx: Transaction, account: str, region: str, repository: str) -> None:
    """Forget all tags of a repository that is deleted."""
    _TAGS_OF_REPOSITORY.delete(tx, account=account, region=region, repository=repository)


def claim_image(tx: Transaction, claim: ImageClaim) -> None:
    """Say that an image is in use; a claim made twice is one, and is not written again."""
    IMAGE_CLAIMS.insert(tx, claim)


def release_images(tx: Transaction, holder: str) -> None:
    """Withdraw all claims of one holder."""
    _CLAIMS_OF_HOLDER.delete(tx, holder=holder)


def claims_of(
    tx: Transaction, account: str, region: str, repository: str, digest: str
) -> list[ImageClaim]:
    """Who uses this image; empty where nobody does."""
    return _CLAIMS_OF_IMAGE.all(
        tx, account=account, region=region, repository=repository, digest=digest
    )
