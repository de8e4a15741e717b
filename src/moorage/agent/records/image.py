"""Images on this host: what the runtime lists, and what the engine remembers of their use."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record


class ObservedImage(Record):
    """An image of the runtime; `references` are all names and digests under which it is held."""

    image_id: str
    references: tuple[str, ...] = ()
    size_bytes: int = 0


class ImageRecord(Record):
    """An image that the agent had pulled (or found) for a task, by the name the task gave it.

    `reference` is what a container is created from; `digest` that of its manifest, where known.
    `here` is false once its removal was asked for.
    Only images with a record are ever removed.
    """

    image: str
    reference: str
    last_used_at: Instant
    digest: str | None = None
    here: bool = True
