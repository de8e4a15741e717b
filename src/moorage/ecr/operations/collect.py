"""What the collector asks: which uploads, links and blobs have outlived their use.

Three steps, each with a grace of its own: an upload that nobody continues is dropped; a link that
no manifest names is taken; a blob that no repository links is doomed, and removed later, after
one more look at its row.
"""

from collections.abc import Sequence

from moorage.ecr.records.layer import Blob, Layer
from moorage.ecr.records.upload import Upload
from moorage.ecr.store import images, layers, repositories, uploads
from moorage.ground.instant import Duration, earlier
from moorage.ground.record import evolve
from moorage.kernel.call import Call

SWEPT_AT_ONCE = 200


def expired_uploads(call: Call, expiry: Duration) -> list[Upload]:
    """Uploads that nobody has touched for `expiry`, a bounded number at once."""
    limit = earlier(call.now, expiry)
    return [one for one in uploads.oldest(call.tx, SWEPT_AT_ONCE) if one.touched_at < limit]


def drop_upload(call: Call, upload: Upload) -> None:
    """Forget an upload whose bytes were discarded."""
    uploads.delete(call.tx, upload.id)


def take_idle_links(call: Call, grace: Duration) -> int:
    """Take links that no manifest has named for `grace`; answers how many."""
    limit = earlier(call.now, grace)
    taken = 0
    for link in layers.oldest_links(call.tx, SWEPT_AT_ONCE):
        if link.linked_at >= limit:
            break
        taken += _take_if_idle(call, link)
    return taken


def doom_unlinked(call: Call) -> int:
    """Leave a tombstone on each blob that lost its last link; answers how many."""
    doomed = 0
    for digest in layers.lonely(call.tx, SWEPT_AT_ONCE):
        blob = layers.lock(call.tx, (digest,)).get(digest)
        if blob is not None and blob.doomed_at is None and not layers.is_linked(call.tx, digest):
            layers.store(call.tx, evolve(blob, doomed_at=call.now))
            doomed += 1
    return doomed


def doomed_blobs(call: Call, grace: Duration) -> list[Blob]:
    """Blobs whose tombstone is older than `grace`, a bounded number at once."""
    limit = earlier(call.now, grace)
    return [
        blob
        for blob in layers.doomed(call.tx, SWEPT_AT_ONCE)
        if blob.doomed_at is not None and blob.doomed_at < limit
    ]


def bury(call: Call, digest: str) -> bool:
    """Forget a doomed blob's row if it is still unlinked; only then may its bytes go."""
    blob = layers.lock(call.tx, (digest,)).get(digest)
    if blob is None:
        return not layers.is_linked(call.tx, digest)
    if blob.doomed_at is None or layers.is_linked(call.tx, digest):
        layers.store(call.tx, evolve(blob, doomed_at=None))
        return False
    layers.forget(call.tx, digest)
    return True


def unnamed_blobs(call: Call, digests: Sequence[str]) -> list[str]:
    """Those of `digests` that no row names: their bytes are left over from a crash."""
    return [digest for digest in digests if layers.get_blob(call.tx, digest) is None]


def unnamed_uploads(call: Call, ids: Sequence[str]) -> list[str]:
    """Those of `ids` that no upload's row names."""
    return [upload for upload in ids if uploads.get(call.tx, upload) is None]


def _take_if_idle(call: Call, link: Layer) -> int:
    repository = repositories.get(call.tx, link.account, link.region, link.repository)
    layers.lock(call.tx, (link.digest,))
    if repository is not None and images.is_named(call.tx, repository, link.digest):
        layers.link(call.tx, evolve(link, linked_at=call.now))
        return 0
    layers.unlink_link(call.tx, link)
    return 1
