"""A layer: the right of one repository to one blob."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record


class Blob(Record):
    """One content in the store, whoever links to it; `doomed_at` is its tombstone, if any.

    `links_changed_at` is set when a link was taken, until the collector has looked.

    The row is locked by whoever adds a link or a reference, and by the collector.
    """

    digest: str
    size: int
    stored_at: Instant
    doomed_at: Instant | None = None
    links_changed_at: Instant | None = None


class Layer(Record):
    """A link from (account, region, repository) to a blob: without it, a digest opens nothing."""

    account: str
    region: str
    repository: str
    digest: str
    size: int
    linked_at: Instant
