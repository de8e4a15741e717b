"""An image: one manifest of one repository, kept as the bytes that were pushed."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record


class Image(Record):
    """One manifest (of an image or an index); tags are rows of `kernel.images.TAG_DIGESTS`.

    `size` is what ECR shows: configuration and layers together, for an index the largest child.
    """

    account: str
    region: str
    repository: str
    digest: str
    media_type: str
    manifest: str
    size: int
    pushed_at: Instant
    artifact_type: str | None = None
    subject: str | None = None
    pulled_at: Instant | None = None


class Reference(Record):
    """One thing that a manifest names: a blob, or (in an index) another manifest.

    A blob that a repository links to without any manifest (a layer that was just pushed or
    mounted) has no row here; see `Layer`.
    """

    account: str
    region: str
    repository: str
    digest: str
    target: str
    is_manifest: bool = False
