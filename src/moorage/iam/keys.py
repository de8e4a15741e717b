"""How an access key is made; used wherever somebody becomes known."""

from dataclasses import dataclass

from moorage.ground.chance import Chance
from moorage.ground.principal import Kind
from moorage.iam.records.access_key import AccessKey
from moorage.iam.store import access_keys
from moorage.kernel.site import Vault
from moorage.sql.transaction import Transaction

KEY_ID_DIGITS = 16
SECRET_BYTES = 30  # 40 characters of base64, as Amazon's are
ACCOUNT_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """For whom a key is made."""

    account: str
    kind: Kind
    name: str = ""
    region: str = ""
    cluster: str = ""


def issue(tx: Transaction, vault: Vault, holder: Holder) -> tuple[AccessKey, str]:
    """Make and keep a key for `holder`; answers the key, and its secret for this one time."""
    secret = tx.chance.token(SECRET_BYTES)
    key = AccessKey(
        id="AKIA" + tx.chance.hex(KEY_ID_DIGITS).upper(),
        account=holder.account,
        kind=holder.kind,
        sealed_secret=vault.seal(secret),
        created_at=tx.now,
        name=holder.name,
        region=holder.region,
        cluster=holder.cluster,
    )
    access_keys.put(tx, key)
    return key, secret


def new_account_id(chance: Chance) -> str:
    """Twelve digits that do not begin with a zero, as Amazon's account ids are written."""
    return str(1 + chance.below(9)) + "".join(
        str(chance.below(10)) for _ in range(ACCOUNT_DIGITS - 1)
    )
