"""The first start: the operator's account, and the keys that lie in the data folder."""

from pathlib import Path

from moorage.gateway.folder import Credentials, keep_credentials, read_credentials
from moorage.ground.principal import Kind
from moorage.iam.keys import Holder, issue, new_account_id
from moorage.iam.records.access_key import AccessKey
from moorage.iam.records.account import Account
from moorage.iam.store import access_keys, accounts
from moorage.kernel.site import Vault
from moorage.sql.engine import Database
from moorage.sql.transaction import Transaction

KEYS: tuple[tuple[str, Kind], ...] = (("operator", "operator"), ("root", "root"))
FIRST_ACCOUNT_NAME = "main"


def ensure_keys(data: Path, database: Database, vault: Vault, region: str) -> str:
    """See to it that operator and first root have keys on disk that the database knows.

    Answers the first account's id. A crash between commit and file leaves a key that nobody
    holds; the next start makes another.
    """
    account = ""
    for name, kind in KEYS:
        kept = read_credentials(data, name)

        def work(
            tx: Transaction,
            kept: Credentials | None = kept,
            kind: Kind = kind,
            account: str = account,
        ) -> Credentials:
            if kept is not None:
                return _known(tx, vault, kept, kind)
            return _issued(tx, vault, account or _first_account(tx), kind, region)

        credentials = database.write(work).result()
        if kept is None:
            keep_credentials(data, name, credentials)
        account = credentials.account_id
    return account


def _known(tx: Transaction, vault: Vault, kept: Credentials, kind: Kind) -> Credentials:
    if access_keys.get(tx, kept.access_key_id) is None:
        accounts.create(tx, Account(id=kept.account_id, name=FIRST_ACCOUNT_NAME, created_at=tx.now))
        access_keys.put(
            tx,
            AccessKey(
                id=kept.access_key_id,
                account=kept.account_id,
                kind=kind,
                sealed_secret=vault.seal(kept.secret_access_key),
                created_at=tx.now,
                name=FIRST_ACCOUNT_NAME,
                region=kept.region,
            ),
        )
    return kept


def _first_account(tx: Transaction) -> str:
    known = accounts.every(tx)
    if known:
        return known[0].id
    account = Account(id=new_account_id(tx.chance), name=FIRST_ACCOUNT_NAME, created_at=tx.now)
    accounts.create(tx, account)
    return account.id


def _issued(tx: Transaction, vault: Vault, account: str, kind: Kind, region: str) -> Credentials:
    key, secret = issue(
        tx, vault, Holder(account=account, kind=kind, name=FIRST_ACCOUNT_NAME, region=region)
    )
    return Credentials(
        account_id=account, access_key_id=key.id, secret_access_key=secret, region=region
    )
