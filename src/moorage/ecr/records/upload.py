"""An upload: a blob on its way into a repository."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record


class Upload(Record):
    """One unfinished upload; the bytes lie in the blob store under the same id."""

    id: str
    account: str
    region: str
    repository: str
    begun_at: Instant
    touched_at: Instant
