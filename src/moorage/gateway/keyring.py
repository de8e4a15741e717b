"""The access keys in memory: verified callers by key id, dropped when their row changes."""

from collections.abc import Sequence

from moorage.ground.principal import Principal
from moorage.ground.record import Record
from moorage.iam.records.access_key import AccessKey
from moorage.iam.store import access_keys
from moorage.kernel.site import Vault
from moorage.sql.transaction import Change, Transaction

KEYS_MAX = 10_000


class KnownKey(Record):
    """A key with its secret laid open, as signatures are checked against it."""

    secret: str
    principal: Principal

    def __repr__(self) -> str:
        """Print without the secret."""
        return f"KnownKey({self.principal!r})"


class Keyring:
    """Keys that were used since the server started; the table is asked for all others."""

    def __init__(self, vault: Vault) -> None:
        """Begin with none."""
        self._vault = vault
        self._known: dict[str, KnownKey] = {}

    def changed(self, changes: Sequence[Change]) -> None:
        """Forget keys whose rows changed; called from any thread, before a commit's answer."""
        for change in changes:
            if change.kind == access_keys.KIND:
                self._known.pop(change.key, None)

    def get(self, key: str) -> KnownKey | None:
        """The key if it is in memory."""
        return self._known.get(key)

    def load(self, tx: Transaction, key: str) -> KnownKey | None:
        """The key from its row, kept in memory from now on; None where there is none."""
        row = access_keys.get(tx, key)
        if row is None:
            return None
        known = KnownKey(secret=self._vault.reveal(row.sealed_secret), principal=principal_of(row))
        if len(self._known) >= KEYS_MAX:
            self._known.clear()
        self._known[key] = known
        return known


def principal_of(key: AccessKey) -> Principal:
    """Who signs with this key."""
    return Principal(
        kind=key.kind,
        account=key.account,
        access_key_id=key.id,
        cluster=key.cluster,
        instance=key.instance,
        name=key.name,
    )
