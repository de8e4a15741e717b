"""The table of login tokens."""

from moorage.ecr.records.login import Login
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

LOGINS = Table("logins", Login, keys=("hash",), columns=("expires_at",), indices=(("expires_at",),))
_OLD = LOGINS.query(order=("expires_at",))
SWEPT_AT_ONCE = 20


def get(tx: Transaction, token_hash: str) -> Login | None:
    """The login of a token's hash, unless it has expired."""
    login = LOGINS.get(tx, token_hash)
    return login if login is not None and login.expires_at > tx.now else None


def create(tx: Transaction, login: Login) -> None:
    """Keep a new login, and forget some that have expired."""
    for old in _OLD.all(tx, limit=SWEPT_AT_ONCE):
        if old.expires_at <= tx.now:
            LOGINS.delete(tx, old.hash)
    LOGINS.put(tx, login)
