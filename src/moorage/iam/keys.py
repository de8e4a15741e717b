"""How an access key is made, and how one takes the place of another.

A host always has one key that is good: the new one is good beside the old until it is first used;
from then on the old one is replaced. A new one that is never used lapses: its answer was lost.
"""

from dataclasses import dataclass

from moorage.ground.chance import Chance
from moorage.ground.instant import later, minutes
from moorage.ground.principal import Kind
from moorage.ground.record import evolve
from moorage.iam.records.access_key import AccessKey
from moorage.iam.store import access_keys
from moorage.kernel.site import Vault
from moorage.sql.transaction import Transaction

KEY_ID_DIGITS = 16
SECRET_BYTES = 30  # 40 characters of base64, as Amazon's are
ACCOUNT_DIGITS = 12
# For so long two keys are good for one host, at most.
UNUSED_KEY_LIFE = minutes(10)


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


def successor(tx: Transaction, vault: Vault, old: AccessKey) -> tuple[AccessKey, str]:
    """Make a key for the same host as `old`, which stays good until the new one is used.

    Answers the key and its secret. A successor that was made earlier and never used is forgotten.
    """
    for other in access_keys.of_instance(tx, old.instance):
        if other.lapses_at is not None and other.id != old.id:
            access_keys.delete(tx, other.id)
    holder = Holder(
        account=old.account, kind=old.kind, name=old.name, region=old.region, cluster=old.cluster
    )
    made, secret = issue(tx, vault, holder)
    made = evolve(made, instance=old.instance, lapses_at=later(tx.now, UNUSED_KEY_LIFE))
    access_keys.put(tx, made)
    return made, secret


def bind(tx: Transaction, key: str, instance: str) -> None:
    """Let this key alone speak for a container instance (an ARN); nothing happens where it does.

    The key before it is kept as replaced, so that whoever has it can be told; what is older goes.
    A key that was forgotten since its signature was verified ends no other: that may be the only one.
    """
    new = access_keys.get(tx, key)
    if new is None:
        return
    others = [one for one in access_keys.of_instance(tx, instance) if one.id != key]
    before = [one for one in others if not one.replaced and one.lapses_at is None]
    for old in others:
        if old in before:
            access_keys.put(tx, evolve(old, replaced=True))
        elif before or not old.replaced:
            access_keys.delete(tx, old.id)
    if new.instance != instance or new.lapses_at is not None:
        access_keys.put(tx, evolve(new, instance=instance, lapses_at=None))


def new_account_id(chance: Chance) -> str:
    """Twelve digits that do not begin with a zero, as Amazon's account ids are written."""
    return str(1 + chance.below(9)) + "".join(
        str(chance.below(10)) for _ in range(ACCOUNT_DIGITS - 1)
    )
