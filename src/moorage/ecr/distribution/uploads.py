"""/v2/NAME/blobs/uploads/: POST, PATCH, PUT, GET, DELETE; chunked, monolithic and mounted.

An upload's row decides that it exists, the store how far it has come. Each request holds the
upload's stage alone; a connection that is cut leaves what has arrived, and the next request goes
on from there, also after a restart. A blob's bytes are durable before its row is written.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from moorage.blob.store import (
    BlobFacts,
    BlobStore,
    DigestMismatch,
    Refusal,
    StageBusy,
    StoreFull,
    UploadId,
    UploadUnknown,
    parse_upload_id,
)
from moorage.ecr.distribution.errors import Oversized, Refused
from moorage.ecr.distribution.exchange import ClientCut
from moorage.ecr.distribution.locks import NotInTime
from moorage.ecr.distribution.streaming import BLOB_BYTES_MAX, Chunk, receive
from moorage.ecr.distribution.visit import Visit
from moorage.ecr.operations import pull, push
from moorage.ecr.records.upload import Upload
from moorage.ecr.rules.ranges import content_length, content_range, held_range
from moorage.ecr.rules.reference import parse_repository
from moorage.ground.digest import Digest, digest_of
from moorage.ground.fault import Fault
from moorage.ground.instant import between, minutes
from moorage.kernel.call import Call

# How long an upload's row may lag behind its bytes: each touch is a durable write.
TOUCHED_AGAIN_AFTER = minutes(10)
# How long a request waits for the one before it, whose client may be gone, to put the upload down.
PATIENCE_SECONDS = 3.0


async def begin(visit: Visit) -> None:
    """POST: mount a blob of another repository, take one in whole, or begin an upload."""
    query = visit.exchange.query
    if "mount" in query and await _mount(visit, visit.digest(query["mount"])):
        return
    digest = visit.digest(query["digest"]) if "digest" in query else None
    upload = await visit.write(
        lambda call: push.begin_upload(call, pull.the_repository(call, visit.name))
    )
    if digest is None:
        await visit.answer(202, _state(visit, upload, 0))
        return
    try:
        await _complete(visit, upload, digest)
    except (ClientCut, Refused, Refusal):
        # Nobody knows this upload's address, so nobody can go on with it.
        await _abandon(visit, upload)
        raise


async def status(visit: Visit) -> None:
    """GET: how far an upload has come."""
    upload = await _upload(visit)
    with suppress(StageBusy):  # then it is told how far the other request has come
        async with _in_hand(visit, upload):
            pass
    staged = await visit.registry.run(visit.registry.blobs.staged, UploadId(upload.id))
    await visit.answer(204, _state(visit, upload, staged.size if staged else 0))


async def append(visit: Visit) -> None:
    """PATCH: take in a chunk, or a stream of bytes of any length, where the upload stands."""
    upload = await _upload(visit)
    async with _in_hand(visit, upload), _nothing_kept_of_what_cannot_go_on(visit, upload):
        offset = await receive(visit, UploadId(upload.id), _chunk(visit))
    await _touch(visit, upload)
    await visit.answer(202, _state(visit, upload, offset))


async def finish(visit: Visit) -> None:
    """PUT: take in the last bytes, if any, and keep the blob under its digest."""
    upload = await _upload(visit)
    await _complete(visit, upload, visit.digest(visit.exchange.query.get("digest")))


async def cancel(visit: Visit) -> None:
    """DELETE: forget an upload and its bytes."""
    upload = await _upload(visit)
    async with _in_hand(visit, upload):
        await visit.registry.run(visit.registry.blobs.discard, UploadId(upload.id))
        await visit.write(lambda call: push.drop_upload(call, upload))
    await visit.answer(204)


async def _complete(visit: Visit, upload: Upload, digest: Digest) -> None:
    registry, upload_id = visit.registry, UploadId(upload.id)
    async with _in_hand(visit, upload), _nothing_kept_of_what_cannot_go_on(visit, upload):
        first = await visit.exchange.read()
        if first:
            await receive(visit, upload_id, _chunk(visit, digest.algorithm, first))
        async with registry.digests.held(str(digest)):
            facts = await registry.run(_commit, registry.blobs, upload_id, digest)
            kept = await visit.write(
                lambda call: push.keep_blob(call, visit.name, str(digest), facts.size, upload.id)
            )
        await registry.run(registry.blobs.discard, upload_id)
    if kept is None:
        await visit.read(lambda call: pull.the_repository(call, visit.name))
        raise Refused("BLOB_UPLOAD_UNKNOWN")
    await _stored(visit, digest)


def _commit(blobs: BlobStore, upload_id: UploadId, digest: Digest) -> BlobFacts:
    """Commit what is staged; the empty blob may have been staged by no byte at all."""
    try:
        return blobs.commit(upload_id, digest)
    except UploadUnknown:
        if digest != digest_of(b"", digest.algorithm):
            raise
        with blobs.stage(upload_id, digest.algorithm):
            pass
        return blobs.commit(upload_id, digest)


async def _mount(visit: Visit, digest: Digest) -> bool:
    """Link a blob of a repository that the caller may pull from; False where there is none.

    OCI distribution specification 1.1, "Mounting a blob from another repository": whoever may not
    read it learns nothing, and is asked to upload the blob.
    """
    source = parse_repository(visit.exchange.query.get("from", ""))
    if source is None or source.account not in {None, visit.caller.account}:
        return False

    def work(call: Call) -> bool:
        target = pull.the_repository(call, visit.name)
        region = source.region or call.region
        return push.mount_blob(call, target, (region, source.name), str(digest)) is not None

    mounted = await visit.write(work)
    if mounted:
        await _stored(visit, digest)
    return mounted


async def _upload(visit: Visit) -> Upload:
    upload_id = parse_upload_id(visit.parts["upload"])

    def find(call: Call) -> Upload | None:
        repository = pull.the_repository(call, visit.name)
        return pull.find_upload(call, repository, upload_id) if upload_id else None

    upload = await visit.read(find)
    if upload is None:
        raise Refused("BLOB_UPLOAD_UNKNOWN")
    return upload


async def _touch(visit: Visit, upload: Upload) -> None:
    if between(upload.touched_at, visit.registry.clock.now()) > TOUCHED_AGAIN_AFTER:
        await visit.write(lambda call: push.touch_upload(call, upload))


@asynccontextmanager
async def _in_hand(visit: Visit, upload: Upload) -> AsyncIterator[None]:
    """Be the one request that writes to an upload; raises StageBusy where another goes on and on."""
    try:
        async with visit.registry.uploads.held(upload.id, PATIENCE_SECONDS):
            yield
    except NotInTime as error:
        raise StageBusy(f"upload {upload.id} is in other hands") from error


@asynccontextmanager
async def _nothing_kept_of_what_cannot_go_on(visit: Visit, upload: Upload) -> AsyncIterator[None]:
    """Forget an upload that ends in a way from which no client can go on."""
    try:
        yield
    except (StoreFull, DigestMismatch, Oversized):
        await _abandon(visit, upload)
        raise


async def _abandon(visit: Visit, upload: Upload) -> None:
    """Forget an upload, as far as that is possible now: the sweep finds what is left."""
    with suppress(StageBusy, Fault):
        await visit.registry.run(visit.registry.blobs.discard, UploadId(upload.id))
        await visit.write(lambda call: push.drop_upload(call, upload))


def _chunk(visit: Visit, algorithm: str = "sha256", first: bytes = b"") -> Chunk:
    header = visit.exchange.header("content-range")
    length = content_length(visit.exchange.header("content-length"))
    span = content_range(header) if header is not None else None
    if header is not None and span is None:
        raise Refused("RANGE_INVALID", "Content-Range must be '<first byte>-<last byte>'")
    if span is not None and length is not None and length != len(span):
        raise Refused("SIZE_INVALID", "Content-Range and Content-Length disagree")
    if length is not None and length > BLOB_BYTES_MAX:
        raise Oversized("SIZE_INVALID", f"a blob has at most {BLOB_BYTES_MAX} bytes")
    return Chunk(algorithm=algorithm, first=first, span=span)


def _state(visit: Visit, upload: Upload, offset: int) -> dict[str, str]:
    return {
        "location": visit.location("blobs", "uploads", upload.id),
        "range": held_range(offset),
        "docker-upload-uuid": upload.id,
    }


async def _stored(visit: Visit, digest: Digest) -> None:
    await visit.answer(
        201,
        {
            "location": visit.location("blobs", str(digest)),
            "docker-content-digest": str(digest),
        },
    )
