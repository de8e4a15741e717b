"""An account: the wall between two tenants of one installation."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record


class Account(Record):
    """One account; all state is kept under its twelve digits."""

    id: str
    name: str
    created_at: Instant
