"""The table of login tokens."""

from moorage.ecr.records.login import Login
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

LOGINS = Table(
    "logins",
    Login,
    keys=("hash",),
    columns=("expires_at", "access_key_id"),
    indices=(("expires_at",), ("access_key_id", "expires_at")),
)
_OLD = LOGINS.query(order=("expires_at",))
_OF_KEY = LOGINS.query("access_key_id", order=("expires_at",))
SWEPT_AT_ONCE = 20
# Of one key: a login each four seconds, for as long as each is good.
OF_KEY_MAX = 10_000


def get(tx: Transaction, token_hash: str) -> Login | None:
    """The login of a token's hash, unless it has expired."""
    login = LOGINS.get(tx, token_hash)
    return login if login is not None and login.expires_at > tx.now else None


def create(tx: Transaction, login: Login) -> None:
    """Keep a new login, and forget some that have expired; of too many of one key, the oldest."""
    for old in _OLD.all(tx, limit=SWEPT_AT_ONCE):
        if old.expires_at <= tx.now:
            LOGINS.delete(tx, old.hash)
    if _OF_KEY.count(tx, access_key_id=login.access_key_id) >= OF_KEY_MAX:
        for old in _OF_KEY.all(tx, limit=1, access_key_id=login.access_key_id):
            LOGINS.delete(tx, old.hash)
    LOGINS.put(tx, login)
