"""/v2/NAME/blobs/DIGEST: HEAD, GET with ranges, DELETE.

The right to a blob is the repository's link to it, never the digest alone; the bytes are sent from
the open file. Where the store has lost bytes that the row knows of, the blob is unknown: the push
that follows brings it back.
"""

from contextlib import closing

from moorage.ecr.distribution.errors import API_VERSION, Refused
from moorage.ecr.distribution.visit import Visit
from moorage.ecr.operations import pull, push
from moorage.ecr.records.layer import Layer
from moorage.ecr.rules.ranges import byte_range
from moorage.ground.digest import Digest
from moorage.kernel.call import Call

CONTENT_TYPE = "application/octet-stream"


async def head(visit: Visit) -> None:
    """Say whether the repository has a blob, and how large it is."""
    digest = visit.digest(visit.parts["digest"])
    link = await _link(visit, digest)
    facts = await visit.registry.run(visit.registry.blobs.stat, digest)
    if facts is None or facts.size != link.size:
        raise Refused("BLOB_UNKNOWN")
    await visit.answer(200, {**_headers(digest), "content-length": str(link.size)})


async def get(visit: Visit) -> None:
    """Send a blob, or the range of it that is asked for."""
    digest = visit.digest(visit.parts["digest"])
    link = await _link(visit, digest)
    blob = await visit.registry.run(visit.registry.blobs.open, digest)
    if blob is None:
        raise Refused("BLOB_UNKNOWN")
    with closing(blob):
        if blob.size != link.size:
            raise Refused("BLOB_UNKNOWN")
        headers = {**API_VERSION, **_headers(digest)}
        asked = visit.exchange.header("range")
        if asked is None or not _is_same(visit.exchange.header("if-range"), digest):
            await visit.exchange.send_blob(200, headers, blob, range(blob.size))
            return
        span = byte_range(asked, blob.size)
        if span is None:
            raise Refused("RANGE_INVALID", headers={"content-range": f"bytes */{blob.size}"})
        headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{blob.size}"
        await visit.exchange.send_blob(206, headers, blob, span)


async def delete(visit: Visit) -> None:
    """Take the repository's right to a blob that no manifest of it names."""
    digest = str(visit.digest(visit.parts["digest"]))

    def work(call: Call) -> bool | None:
        return push.delete_blob(call, pull.the_repository(call, visit.name), digest)

    deleted = await visit.write(work)
    if deleted is None:
        raise Refused("DENIED", "an image of the repository consists of this blob; delete that")
    if not deleted:
        raise Refused("BLOB_UNKNOWN")
    await visit.answer(202)


async def _link(visit: Visit, digest: Digest) -> Layer:
    """The repository's link to a blob, renewed for a client that may be about to name it."""

    def find(call: Call) -> tuple[Layer | None, bool]:
        link = pull.find_blob(call, pull.the_repository(call, visit.name), str(digest))
        return link, link is not None and pull.is_link_stale(call, link)

    def renew(call: Call) -> None:
        pull.renew_link(call, pull.the_repository(call, visit.name), str(digest))

    link, stale = await visit.read(find)
    if link is None:
        raise Refused("BLOB_UNKNOWN")
    if stale and visit.exchange.method == "HEAD":
        await visit.write(renew)
    return link


def _headers(digest: Digest) -> dict[str, str]:
    return {
        "content-type": CONTENT_TYPE,
        "docker-content-digest": str(digest),
        "etag": f'"{digest}"',
        "accept-ranges": "bytes",
    }


def _is_same(condition: str | None, digest: Digest) -> bool:
    """Whether a range is still wanted: If-Range (RFC 9110, 13.1.5) names this very content."""
    return condition is None or condition.strip('"') == str(digest)
