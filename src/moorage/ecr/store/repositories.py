"""The table of repositories."""

from moorage.ecr.records.repository import Repository
from moorage.shapes.ecr.faults import RepositoryNotFoundException
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

REPOSITORIES = Table("repositories", Repository, keys=("account", "region", "name"))
_PAGE = REPOSITORIES.query("account", "region", greater="name")


def get(tx: Transaction, account: str, region: str, name: str) -> Repository | None:
    """The repository of that name."""
    return REPOSITORIES.get(tx, account, region, name)


def existing(tx: Transaction, account: str, region: str, name: str) -> Repository:
    """The repository of that name; raises RepositoryNotFoundException."""
    repository = get(tx, account, region, name)
    if repository is None:
        raise RepositoryNotFoundException(
            f"The repository with name '{name}' does not exist in the registry with id '{account}'"
        )
    return repository


def create(tx: Transaction, repository: Repository) -> bool:
    """Keep a new repository; False where the name is taken."""
    return REPOSITORIES.insert(tx, repository)


def put(tx: Transaction, repository: Repository) -> None:
    """Keep a changed repository."""
    REPOSITORIES.put(tx, repository)


def delete(tx: Transaction, repository: Repository) -> None:
    """Forget a repository."""
    REPOSITORIES.delete(tx, repository.account, repository.region, repository.name)


def page(
    tx: Transaction, account: str, region: str, after: str | None, limit: int
) -> list[Repository]:
    """At most `limit` repositories of one account and region after a name, in their order."""
    return _PAGE.all(tx, account=account, region=region, name=after, limit=limit)
