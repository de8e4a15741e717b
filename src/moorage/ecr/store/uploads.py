"""The table of unfinished uploads."""

from moorage.ecr.records.repository import Repository
from moorage.ecr.records.upload import Upload
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

UPLOADS = Table(
    "uploads",
    Upload,
    keys=("id",),
    columns=("touched_at", "account", "region", "repository"),
    indices=(("touched_at",), ("account", "region", "repository")),
)
_OLDEST = UPLOADS.query(order=("touched_at",))
_OF_REPOSITORY = UPLOADS.query("account", "region", "repository")
_OF_ACCOUNT = UPLOADS.query("account")


def get(tx: Transaction, upload: str) -> Upload | None:
    """The upload of that id."""
    return UPLOADS.get(tx, upload)


def put(tx: Transaction, upload: Upload) -> None:
    """Keep a new upload, or that one was touched."""
    UPLOADS.put(tx, upload)


def delete(tx: Transaction, upload: str) -> None:
    """Forget an upload."""
    UPLOADS.delete(tx, upload)


def oldest(tx: Transaction, limit: int) -> list[Upload]:
    """Unfinished uploads, the longest untouched first."""
    return _OLDEST.all(tx, limit=limit)


def expire_all(tx: Transaction, repository: Repository) -> None:
    """Leave the unfinished uploads of a deleted repository to the sweep, with their bytes."""
    for upload in _OF_REPOSITORY.all(
        tx, account=repository.account, region=repository.region, repository=repository.name
    ):
        UPLOADS.put(tx, evolve(upload, repository="", touched_at=Instant(0)))


def count(tx: Transaction, account: str) -> int:
    """How many unfinished uploads an account has."""
    return _OF_ACCOUNT.count(tx, account=account)
