"""The table of access keys. A change wakes the gateway, which keeps verified keys in memory."""

from moorage.iam.records.access_key import AccessKey
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

ACCESS_KEYS = Table(
    "access_keys", AccessKey, keys=("id",), columns=("instance",), indices=(("instance",),)
)
_OF_INSTANCE = ACCESS_KEYS.query("instance")
KIND = "access_key"


def get(tx: Transaction, key: str) -> AccessKey | None:
    """The access key of that id."""
    return ACCESS_KEYS.get(tx, key)


def put(tx: Transaction, key: AccessKey) -> None:
    """Keep a new or changed access key."""
    ACCESS_KEYS.put(tx, key)
    tx.wake(KIND, key.id)


def of_instance(tx: Transaction, instance: str) -> list[AccessKey]:
    """The keys that are bound to one container instance."""
    return _OF_INSTANCE.all(tx, instance=instance)


def delete(tx: Transaction, key: str) -> None:
    """Forget an access key; who signs with it is unknown from now on."""
    ACCESS_KEYS.delete(tx, key)
    tx.wake(KIND, key)
