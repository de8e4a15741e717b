"""The table of repositories."""

from moorage.ecr.records.repository import Repository
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

REPOSITORIES = Table("repositories", Repository, keys=("account", "region", "name"))
_OF_REGISTRY = REPOSITORIES.query("account", "region", order=("name",))


def get(tx: Transaction, account: str, region: str, name: str) -> Repository | None:
    """The repository of that name."""
    return REPOSITORIES.get(tx, account, region, name)


def create(tx: Transaction, repository: Repository) -> bool:
    """Keep a new repository; False where the name is taken."""
    return REPOSITORIES.insert(tx, repository)


def put(tx: Transaction, repository: Repository) -> None:
    """Keep a changed repository."""
    REPOSITORIES.put(tx, repository)


def delete(tx: Transaction, repository: Repository) -> None:
    """Forget a repository."""
    REPOSITORIES.delete(tx, repository.account, repository.region, repository.name)


def of_registry(tx: Transaction, account: str, region: str) -> list[Repository]:
    """All repositories of one account and region, by name."""
    return _OF_REGISTRY.all(tx, account=account, region=region)
