"""/v2/NAME/manifests/REFERENCE: HEAD, GET, PUT, DELETE, by tag or digest.

A manifest is kept and served as the bytes that were pushed, for ever under the media type it was
pushed as, whatever a client says it accepts: a document that is read as another type than it was
written as is CVE-2021-41190.
"""

from moorage.ecr.distribution.errors import Refused
from moorage.ecr.distribution.visit import Visit
from moorage.ecr.operations import pull, push
from moorage.ecr.records.image import Image
from moorage.ecr.rules.manifest import MANIFEST_BYTES_MAX, Unsound, parse
from moorage.ecr.rules.reference import ManifestReference, parse_reference
from moorage.ecr.store.manifests import Accepted, InUse, Missing, Pushed, TagTaken
from moorage.ground.digest import digest_of
from moorage.kernel.call import Call

# What a refusal names of the things that are missing.
MISSING_NAMED_MAX = 20


async def head(visit: Visit) -> None:
    """Say which manifest a reference means, without its bytes."""
    image, _ = await _image(visit)
    length = len(image.manifest.encode())
    await visit.answer(200, {**_headers(image), "content-length": str(length)})


async def get(visit: Visit) -> None:
    """Send a manifest; afterwards, remember that the image was pulled."""
    image, stale = await _image(visit)
    if visit.exchange.header("if-none-match") == _headers(image)["etag"]:
        await visit.answer(304, _headers(image))
        return
    await visit.answer(200, _headers(image), image.manifest.encode())
    if stale:
        await visit.write(
            lambda call: pull.record_pull(call, pull.the_repository(call, visit.name), image.digest)
        )


async def put(visit: Visit) -> None:
    """Keep a manifest whose blobs are all here, and point its tag at it."""
    reference = _reference(visit)
    body = await _body(visit)
    kind = (visit.exchange.header("content-type") or "").partition(";")[0].strip().lower()
    parsed = await visit.registry.run(parse, body, kind)
    if isinstance(parsed, Unsound):
        raise Refused(parsed.code, parsed.reason)
    algorithm = reference.digest.algorithm if reference.digest else "sha256"
    digest = digest_of(body, algorithm)
    if reference.digest not in {None, digest}:
        raise Refused("DIGEST_INVALID", f"the manifest's digest is {digest}")
    pushed = Pushed(
        digest=str(digest),
        text=body.decode(),
        parsed=parsed,
        tags=(reference.tag,) if reference.tag else (),
    )
    accepted = await visit.write(
        lambda call: push.put_manifest(call, pull.the_repository(call, visit.name), pushed)
    )
    if not isinstance(accepted, Accepted):
        raise _refused(visit, accepted)
    await visit.answer(
        201,
        {
            "location": visit.location("manifests", str(digest)),
            "docker-content-digest": str(digest),
        },
    )


async def delete(visit: Visit) -> None:
    """Forget a tag, or by its digest an image with all its tags."""
    reference = _reference(visit)

    def work(call: Call) -> bool | InUse:
        repository = pull.the_repository(call, visit.name)
        if reference.digest is not None:
            return push.delete_manifest(call, repository, str(reference.digest))
        return push.delete_tag(call, repository, reference.tag or "")

    deleted = await visit.write(work)
    if isinstance(deleted, InUse):
        raise Refused("DENIED", deleted.sentence)
    if not deleted:
        raise Refused("MANIFEST_UNKNOWN")
    await visit.answer(202)


async def _image(visit: Visit) -> tuple[Image, bool]:
    """The image that is asked for, and whether its pull is to be remembered."""
    reference = _reference(visit)

    def find(call: Call) -> tuple[Image | None, bool]:
        repository = pull.the_repository(call, visit.name)
        image = pull.find_manifest(call, repository, reference)
        return image, image is not None and pull.is_pull_time_stale(call, image)

    image, stale = await visit.read(find)
    if image is None:
        raise Refused("MANIFEST_UNKNOWN", "Requested image not found")
    return image, stale


async def _body(visit: Visit) -> bytes:
    body = bytearray()
    piece = await visit.exchange.read()
    while piece:
        body += piece
        if len(body) > MANIFEST_BYTES_MAX:
            raise Refused("SIZE_INVALID", f"a manifest has at most {MANIFEST_BYTES_MAX} bytes")
        piece = await visit.exchange.read()
    return bytes(body)


def _reference(visit: Visit) -> ManifestReference:
    text = visit.parts["reference"]
    reference = parse_reference(text)
    if reference is None:
        raise Refused(
            "DIGEST_INVALID" if ":" in text else "TAG_INVALID",
            "the reference is neither a tag of at most 300 letters, digits, '_', '.' and '-', "
            "nor a sound digest",
            status=400,
        )
    return reference


def _refused(visit: Visit, why: Missing | TagTaken) -> Refused:
    if isinstance(why, TagTaken):
        return Refused(
            "TAG_INVALID",
            f"The image tag '{why.tag}' already exists in the '{visit.name}' repository and "
            "cannot be overwritten because the tag is immutable.",
        )
    missing = [*why.blobs, *why.manifests]
    return Refused(
        "MANIFEST_BLOB_UNKNOWN",
        "the manifest names what this repository does not have: "
        f"{', '.join(missing[:MISSING_NAMED_MAX])}",
        detail=[{"digest": digest} for digest in missing[:MISSING_NAMED_MAX]],
    )


def _headers(image: Image) -> dict[str, str]:
    return {
        "content-type": image.media_type,
        "docker-content-digest": image.digest,
        "etag": f'"{image.digest}"',
    }
