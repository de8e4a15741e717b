"""A join token: the right of so many hosts to join one cluster, for so long."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record


class JoinToken(Record):
    """One token, kept as its SHA-256: whoever reads the database cannot use it.

    `name` is the one host that it is good for, "" for any.
    """

    hash: str
    account: str
    region: str
    cluster: str
    uses_left: int
    created_at: Instant
    expires_at: Instant
    name: str = ""
