"""The table of the one record that says whom clients are to trust."""

from moorage.iam.records.trust import Trust
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

KIND = "trust"
TRUSTS = Table("trusts", Trust, keys=("id",))


def get(tx: Transaction) -> Trust:
    """What is trusted; nothing yet in a new database."""
    return TRUSTS.get(tx, "trust") or Trust()


def put(tx: Transaction, trust: Trust) -> Trust:
    """Keep it in place of what was, and wake who serves or tells it."""
    TRUSTS.put(tx, trust)
    tx.wake(KIND, trust.id)
    return trust
