"""Join tokens are minted here: for people who ask, and for the machines of pools."""

from moorage.ground.certificate import key_hash
from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.iam.records.join_token import JoinToken
from moorage.iam.rules.trust import bundle
from moorage.iam.store import join_tokens, trusts
from moorage.sql.transaction import Transaction

TOKEN_BYTES = 32


class Grant(Record):
    """What a token is good for: so many hosts, or the one of that name, until then."""

    account: str
    region: str
    cluster: str
    expires_at: Instant
    uses: int = 1
    name: str = ""


def mint(tx: Transaction, grant: Grant) -> str | None:
    """A new token, kept as its hash; None where the account has too many that are good still.

    Where the server has an authority of its own the token carries its hash, for the host to know
    whom to believe.
    """
    secret = tx.chance.token(TOKEN_BYTES)
    is_kept = join_tokens.create(
        tx,
        JoinToken(
            hash=join_tokens.hash_of(secret),
            account=grant.account,
            region=grant.region,
            cluster=grant.cluster,
            uses_left=grant.uses,
            created_at=tx.now,
            expires_at=grant.expires_at,
            name=grant.name,
        ),
    )
    if not is_kept:
        return None
    known = bundle(trusts.get(tx))
    return f"{secret}{join_tokens.HASH_MARK}{key_hash(known[0])}" if known else secret
