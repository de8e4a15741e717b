"""The access keys in memory: verified callers by key id, dropped when their row changes."""

import threading
from collections.abc import Sequence

from moorage.ground.principal import Principal
from moorage.ground.record import Record
from moorage.iam.records.access_key import AccessKey
from moorage.iam.store import access_keys
from moorage.kernel.site import Vault
from moorage.sql.transaction import Change, Transaction

KEYS_MAX = 10_000


class KnownKey(Record):
    """A key with its secret laid open, as signatures are checked against it.

    `unused`: it is to take the place of an older key, from its first use on.
    """

    secret: str
    principal: Principal
    unused: bool = False

    def __repr__(self) -> str:
        """Print without the secret."""
        return f"KnownKey({self.principal!r})"


class Keyring:
    """Keys that were used since the server started; the table is asked for all others.

    A key that is read while rows of keys change may be of before the change, and is not kept: what
    was revoked is never remembered.
    """

    def __init__(self, vault: Vault) -> None:
        """Begin with none."""
        self._vault = vault
        self._known: dict[str, KnownKey] = {}
        self._age = 0
        self._changing = threading.Lock()

    def changed(self, changes: Sequence[Change]) -> None:
        """Forget keys whose rows changed; called from any thread, before a commit's answer."""
        for change in changes:
            if change.kind == access_keys.KIND:
                with self._changing:
                    self._age += 1
                    self._known.pop(change.key, None)

    @property
    def age(self) -> int:
        """How often keys have changed; to be asked before the transaction that loads one begins."""
        return self._age

    def get(self, key: str) -> KnownKey | None:
        """The key if it is in memory."""
        return self._known.get(key)

    def load(self, tx: Transaction, key: str) -> KnownKey | None:
        """The key from its row; None where there is none, or where it lapsed before it was used."""
        row = access_keys.get(tx, key)
        if row is None or (row.lapses_at is not None and row.lapses_at <= tx.now):
            return None
        return KnownKey(
            secret=self._vault.reveal(row.sealed_secret),
            principal=principal_of(row),
            unused=row.lapses_at is not None,
        )

    def keep(self, known: KnownKey, age: int) -> None:
        """Keep a key in memory that was loaded at this `age`, unless keys have changed since.

        One that was never used is not kept: it may lapse.
        """
        if known.unused:
            return
        with self._changing:
            if age != self._age:
                return
            if len(self._known) >= KEYS_MAX:
                self._known.clear()
            self._known[known.principal.access_key_id] = known


def principal_of(key: AccessKey) -> Principal:
    """Who signs with this key; a host's is bound to the region that it was made for."""
    return Principal(
        kind=key.kind,
        account=key.account,
        access_key_id=key.id,
        cluster=key.cluster,
        instance=key.instance,
        name=key.name,
        region=key.region if key.kind == "host" else "",
        retired=key.retired,
        replaced=key.replaced,
    )
