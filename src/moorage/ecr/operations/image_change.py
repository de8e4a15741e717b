"""Images that come and go by the API: PutImage, BatchDeleteImage."""

from moorage.ecr.records.repository import Repository
from moorage.ecr.rules.identifier import Named, failure, named_image
from moorage.ecr.rules.manifest import Unsound, parse
from moorage.ecr.store import images, manifests
from moorage.ecr.store.registry import the_repository
from moorage.ecr.views import image as views
from moorage.ground.digest import Digest, digest_of, parse_digest
from moorage.ground.names import is_tag
from moorage.kernel.call import Call
from moorage.kernel.images import drop_tag
from moorage.kernel.operation import operation
from moorage.shapes.ecr import image as shapes
from moorage.shapes.ecr.faults import (
    ImageAlreadyExistsException,
    ImageDigestDoesNotMatchException,
    ImageTagAlreadyExistsException,
    InvalidParameterException,
    LayersNotFoundException,
    ReferencedImagesNotFoundException,
)

IN_USE = "ImageReferencedByManifestList"


@operation()
def put_image(call: Call, request: shapes.PutImageRequest) -> shapes.PutImageResponse:
    """Keep a manifest whose layers are here, and point a tag at it; as a push over /v2/."""
    repository = the_repository(call, request.registry_id, request.repository_name)
    tag = request.image_tag
    if tag is not None and not is_tag(tag):
        raise InvalidParameterException(f"'{tag}' is no tag of an image.")
    body = (request.image_manifest or "").encode("utf-8", "surrogatepass")
    parsed = parse(body, request.image_manifest_media_type or "")
    if isinstance(parsed, Unsound):
        raise InvalidParameterException(
            f"Invalid parameter at 'ImageManifest' failed to satisfy constraint: '{parsed.reason}'"
        )
    digest = _digest(request.image_digest, body)
    accepted = manifests.accept(
        call.tx,
        repository,
        manifests.Pushed(
            digest=str(digest), text=body.decode(), parsed=parsed, tags=(tag,) if tag else ()
        ),
    )
    if isinstance(accepted, manifests.TagTaken):
        raise ImageTagAlreadyExistsException(
            f"The image tag '{accepted.tag}' already exists in the '{repository.name}' repository "
            "and cannot be overwritten because the tag is immutable."
        )
    if isinstance(accepted, manifests.Missing):
        raise _missing(repository, accepted)
    if not accepted.moved:
        raise ImageAlreadyExistsException(
            f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the "
            f"repository with name '{repository.name}' in registry with id '{repository.account}'"
        )
    return shapes.PutImageResponse(image=views.view(accepted.image, tag))


@operation()
def batch_delete_image(
    call: Call, request: shapes.BatchDeleteImageRequest
) -> shapes.BatchDeleteImageResponse:
    """Delete tags, with the last of them the image, or by digest an image with all its tags.

    An index goes before what it names, in whatever order they stand. An image in use stays.
    """
    repository = the_repository(call, request.registry_id, request.repository_name)
    deleted: list[shapes.ImageIdentifier] = []
    failures: list[shapes.ImageFailure] = []
    kept: list[shapes.ImageFailure] = []
    waiting = list(request.image_ids or ())
    progress = True
    while waiting and progress:
        outcomes = [_deleted(call, repository, identifier) for identifier in waiting]
        refused = [one for one in outcomes if isinstance(one, shapes.ImageFailure)]
        deleted += [one for gone in outcomes if isinstance(gone, list) for one in gone]
        failures += [one for one in refused if one.failure_code != IN_USE]
        kept = [one for one in refused if one.failure_code == IN_USE]
        progress = len(kept) < len(waiting)
        waiting = [one.image_id for one in kept if one.image_id is not None]
    return shapes.BatchDeleteImageResponse(image_ids=deleted, failures=[*failures, *kept])


def _digest(asked: str | None, body: bytes) -> Digest:
    expected = parse_digest(asked) if asked is not None else None
    if asked is not None and expected is None:
        raise InvalidParameterException(f"'{asked}' is no digest of an image.")
    digest = digest_of(body, expected.algorithm if expected else "sha256")
    if expected not in {None, digest}:
        raise ImageDigestDoesNotMatchException(
            f"The calculated digest '{digest}' does not match the provided digest '{asked}'"
        )
    return digest


def _missing(
    repository: Repository, missing: manifests.Missing
) -> LayersNotFoundException | ReferencedImagesNotFoundException:
    where = (
        "required for pushing image into repository with name "
        f"'{repository.name}' in the registry with id '{repository.account}' do not exist"
    )
    if missing.blobs:
        return LayersNotFoundException(
            f"Layers with digests '[{', '.join(missing.blobs)}]' {where}"
        )
    return ReferencedImagesNotFoundException(
        f"Images with digests '[{', '.join(missing.manifests)}]' {where}"
    )


def _deleted(
    call: Call, repository: Repository, identifier: shapes.ImageIdentifier
) -> list[shapes.ImageIdentifier] | shapes.ImageFailure:
    """What is gone now: one identifier for each tag, or the digest of an image without any."""
    found = named_image(identifier, lambda tag: images.digest_of(call.tx, repository, tag))
    if not isinstance(found, Named):
        return found
    image = images.get(call.tx, repository, found.digest)
    if image is None:
        return failure(identifier, "ImageNotFound", "Requested image not found")
    tags = images.tags_of_digest(call.tx, repository, found.digest)
    if found.tag is not None and tags != [found.tag]:
        drop_tag(call.tx, repository.account, repository.region, repository.name, found.tag)
        return [shapes.ImageIdentifier(image_digest=found.digest, image_tag=found.tag)]
    kept = manifests.uses(call.tx, repository, found.digest)
    if kept is not None:
        return failure(identifier, IN_USE, kept.sentence)
    manifests.forget(call.tx, repository, image)
    return [
        shapes.ImageIdentifier(image_digest=found.digest, image_tag=tag) for tag in tags or (None,)
    ]
