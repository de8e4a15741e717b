"""What the data plane asks while something is pushed: uploads, links to blobs, manifests, deletes.

Each function is a work: `(call, ...) -> answer`, in one transaction. The bytes that it names were
made durable before ("bytes first, row second").
"""

from moorage.ecr.records.layer import Blob, Layer
from moorage.ecr.records.repository import Repository
from moorage.ecr.records.upload import Upload
from moorage.ecr.store import images, layers, manifests, repositories, uploads
from moorage.ground.fault import Throttling
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.images import drop_tag

UPLOADS_OF_ACCOUNT_MAX = 1000
UPLOAD_ID_DIGITS = 32


def begin_upload(call: Call, repository: Repository) -> Upload:
    """A new upload; raises Throttling where the account has too many unfinished ones."""
    if uploads.count(call.tx, call.account) >= UPLOADS_OF_ACCOUNT_MAX:
        raise Throttling(
            f"The account has {UPLOADS_OF_ACCOUNT_MAX} unfinished uploads; finish or cancel some."
        )
    upload = Upload(
        id=call.chance.hex(UPLOAD_ID_DIGITS),
        account=repository.account,
        region=repository.region,
        repository=repository.name,
        begun_at=call.now,
        touched_at=call.now,
    )
    uploads.put(call.tx, upload)
    return upload


def touch_upload(call: Call, upload: Upload) -> None:
    """Remember that an upload still goes on."""
    if uploads.get(call.tx, upload.id) is not None:
        uploads.put(call.tx, evolve(upload, touched_at=call.now))


def drop_upload(call: Call, upload: Upload) -> None:
    """Forget an upload that was cancelled or has failed."""
    uploads.delete(call.tx, upload.id)


def keep_blob(call: Call, name: str, digest: str, size: int, upload_id: str) -> Layer | None:
    """Link a stored blob to the repository of that name, and forget its upload.

    None where the repository was deleted meanwhile, or the upload cancelled: nothing is kept.
    """
    repository = repositories.get(call.tx, call.account, call.region, name)
    known = uploads.get(call.tx, upload_id) is not None
    uploads.delete(call.tx, upload_id)
    if repository is None or not known:
        return None
    layers.lock(call.tx, (digest,))
    layers.store(call.tx, Blob(digest=digest, size=size, stored_at=call.now))
    return _linked(call, repository, digest, size)


def mount_blob(
    call: Call, target: Repository, source: tuple[str, str], digest: str
) -> Layer | None:
    """Link a blob that `source`, a region and a name of the account, has to `target` too.

    None where it has none.
    """
    layers.lock(call.tx, (digest,))
    repository = repositories.get(call.tx, call.account, *source)
    found = layers.get(call.tx, repository, digest) if repository is not None else None
    if found is None:
        return None
    return _linked(call, target, digest, found.size)


def put_manifest(
    call: Call, repository: Repository, pushed: manifests.Pushed
) -> manifests.Accepted | manifests.Missing | manifests.TagTaken:
    """Keep a manifest under its digest and tags, or say why not."""
    return manifests.accept(call.tx, repository, pushed)


def delete_tag(call: Call, repository: Repository, tag: str) -> bool:
    """Forget a tag; the image stays. False where there was none."""
    return drop_tag(call.tx, repository.account, repository.region, repository.name, tag)


def delete_manifest(call: Call, repository: Repository, digest: str) -> bool | manifests.InUse:
    """Forget an image and its tags, or say what keeps it; False where there was none."""
    image = images.get(call.tx, repository, digest)
    if image is None:
        return False
    kept = manifests.uses(call.tx, repository, digest)
    if kept is not None:
        return kept
    manifests.forget(call.tx, repository, image)
    return True


def delete_blob(call: Call, repository: Repository, digest: str) -> bool | None:
    """Take the repository's link to a blob; None where a manifest names it, False without one."""
    if layers.get(call.tx, repository, digest) is None:
        return False
    layers.lock(call.tx, (digest,))
    if images.is_named(call.tx, repository, digest):
        return None
    return layers.unlink(call.tx, repository, digest)


def _linked(call: Call, repository: Repository, digest: str, size: int) -> Layer:
    layer = Layer(
        account=repository.account,
        region=repository.region,
        repository=repository.name,
        digest=digest,
        size=size,
        linked_at=call.now,
    )
    layers.link(call.tx, layer)
    return layer
