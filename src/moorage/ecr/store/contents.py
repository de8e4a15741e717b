"""What a repository contains, taken together: emptying it, and who uses any of it."""

from moorage.ecr.records.repository import Repository
from moorage.ecr.store import images, layers, uploads
from moorage.kernel.images import IMAGE_CLAIMS, ImageClaim, drop_tags_of
from moorage.sql.transaction import Transaction

_CLAIMS = IMAGE_CLAIMS.query("account", "region", "repository")


def claim_of_repository(tx: Transaction, repository: Repository) -> ImageClaim | None:
    """One use of one image of a repository that is there, or None where none is in use."""
    found = _CLAIMS.all(
        tx, account=repository.account, region=repository.region, repository=repository.name
    )
    return next((one for one in found if images.get(tx, repository, one.digest)), None)


def empty(tx: Transaction, repository: Repository) -> None:
    """Forget all images, tags, links and unfinished uploads of a repository."""
    images.delete_all(tx, repository)
    drop_tags_of(tx, repository.account, repository.region, repository.name)
    layers.unlink_all(tx, repository)
    uploads.expire_all(tx, repository)
