"""The table of join tokens."""

import hashlib

from moorage.ground.record import evolve
from moorage.iam.records.join_token import JoinToken
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

JOIN_TOKENS = Table(
    "join_tokens",
    JoinToken,
    keys=("hash",),
    columns=("expires_at", "account"),
    indices=(("account",),),
)
_OLD = JOIN_TOKENS.query(order=("expires_at",))
_OF_ACCOUNT = JOIN_TOKENS.query("account")
SWEPT_AT_ONCE = 100
OF_ACCOUNT_MAX = 1_000
HASH_MARK = "."


def hash_of(token: str) -> str:
    """What is kept of a token's secret; the authority's hash after the mark is for the host alone."""
    secret = token.partition(HASH_MARK)[0]
    return hashlib.sha256(secret.encode()).hexdigest()


def create(tx: Transaction, token: JoinToken) -> bool:
    """Keep a new token, and forget some that have expired; False where its account has too many."""
    for old in _OLD.all(tx, limit=SWEPT_AT_ONCE):
        if old.expires_at <= tx.now:
            JOIN_TOKENS.delete(tx, old.hash)
    if _OF_ACCOUNT.count(tx, account=token.account) >= OF_ACCOUNT_MAX:
        known = _OF_ACCOUNT.all(tx, account=token.account)
        spent = [old for old in known if old.expires_at <= tx.now or old.uses_left < 1]
        for old in spent:
            JOIN_TOKENS.delete(tx, old.hash)
        if not spent:
            return False
    JOIN_TOKENS.put(tx, token)
    return True


def spend(tx: Transaction, token_hash: str) -> JoinToken | None:
    """Take one use of a token; None where it is unknown, expired or used up."""
    token = JOIN_TOKENS.lock(tx, token_hash)
    if token is None or token.expires_at <= tx.now or token.uses_left < 1:
        return None
    JOIN_TOKENS.put(tx, evolve(token, uses_left=token.uses_left - 1))
    return token
