"""The table of accounts."""

from moorage.iam.records.account import Account
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

ACCOUNTS = Table("accounts", Account, keys=("id",))
_ALL = ACCOUNTS.query(order=("id",))


def get(tx: Transaction, account: str) -> Account | None:
    """The account of those twelve digits."""
    return ACCOUNTS.get(tx, account)


def create(tx: Transaction, account: Account) -> bool:
    """Keep a new account; False where its digits are taken."""
    return ACCOUNTS.insert(tx, account)


def every(tx: Transaction) -> list[Account]:
    """All accounts, by their digits."""
    return _ALL.all(tx)
