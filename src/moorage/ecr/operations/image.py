"""Images that are there: ListImages, DescribeImages, BatchGetImage."""

from collections.abc import Callable, Mapping, Sequence

from moorage.ecr.records.image import Image
from moorage.ecr.records.repository import Repository
from moorage.ecr.rules.identifier import Named, named_image
from moorage.ecr.store import images
from moorage.ecr.store.registry import the_repository
from moorage.ecr.views import image as views
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecr import image as shapes
from moorage.shapes.ecr.faults import ImageNotFoundException, InvalidParameterException

PAGE_LENGTH = 100
PAGE_LENGTH_MAX = 1000
_BY_TAG_STATUS: Mapping[str, Callable[[Sequence[str]], bool]] = {
    "TAGGED": bool,
    "UNTAGGED": lambda tags: not tags,
    "ANY": lambda _: True,
}
# No image of ours is archived yet, nor on its way back.
_SHOWN_STATUSES = frozenset({"ACTIVE", "ANY"})


@operation(reads=True)
def list_images(call: Call, request: shapes.ListImagesRequest) -> shapes.ListImagesResponse:
    """List images in pages: one line for each tag, and one for each image without any."""
    repository = the_repository(call, request.registry_id, request.repository_name)
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH_MAX, refused=InvalidParameterException
    )
    wanted = request.filter or shapes.ListImagesFilter()
    found = [
        shapes.ImageIdentifier(image_digest=digest, image_tag=tag)
        for digest, tags in _tags_by_digest(call, repository).items()
        if _is_wanted(wanted, tags)
        for tag in tags or (None,)
    ]
    shown, following = listing.cut(found, lambda one: f"{one.image_digest} {one.image_tag or ''}")
    return shapes.ListImagesResponse(image_ids=shown, next_token=following)


@operation(reads=True)
def describe_images(
    call: Call, request: shapes.DescribeImagesRequest
) -> shapes.DescribeImagesResponse:
    """Describe images by tag or digest, or all of a repository in pages, ordered by digest."""
    repository = the_repository(call, request.registry_id, request.repository_name)
    if request.image_ids is not None:
        if request.max_results is not None or request.next_token or request.filter:
            raise InvalidParameterException(
                "maxResults, nextToken and filter cannot be used together with imageIds."
            )
        named = [_existing(call, repository, one) for one in request.image_ids]
        details = [
            views.detail(image, images.tags_of_digest(call.tx, repository, image.digest))
            for image in named
        ]
        return shapes.DescribeImagesResponse(image_details=details)
    tags = _tags_by_digest(call, repository)
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH_MAX, refused=InvalidParameterException
    )
    wanted = request.filter or shapes.DescribeImagesFilter()
    shown, following = listing.cut(
        [digest for digest, its in tags.items() if _is_wanted(wanted, its)], lambda digest: digest
    )
    found = [images.get(call.tx, repository, digest) for digest in shown]
    return shapes.DescribeImagesResponse(
        image_details=[
            views.detail(image, tags[image.digest]) for image in found if image is not None
        ],
        next_token=following,
    )


@operation()
def batch_get_image(
    call: Call, request: shapes.BatchGetImageRequest
) -> shapes.BatchGetImageResponse:
    """Answer the manifests of images by tag or digest; that is a pull, and is remembered."""
    repository = the_repository(call, request.registry_id, request.repository_name)
    accepted = request.accepted_media_types
    answered: dict[tuple[str, str | None], shapes.Image] = {}
    failures: list[shapes.ImageFailure] = []
    for identifier in request.image_ids or ():
        found = named_image(identifier, _lookup(call, repository))
        image = images.get(call.tx, repository, found.digest) if isinstance(found, Named) else None
        if not isinstance(found, Named):
            failures.append(found)
        elif image is None or (accepted is not None and image.media_type not in accepted):
            failures.append(
                shapes.ImageFailure(
                    image_id=identifier,
                    failure_code="ImageNotFound",
                    failure_reason="Requested image not found",
                )
            )
        else:
            answered[image.digest, found.tag] = views.view(image, found.tag)
            images.mark_pulled(call.tx, image)
    return shapes.BatchGetImageResponse(images=list(answered.values()), failures=failures)


def _is_wanted(
    wanted: shapes.ListImagesFilter | shapes.DescribeImagesFilter, tags: Sequence[str]
) -> bool:
    by_tag = _BY_TAG_STATUS[wanted.tag_status or "ANY"]
    return by_tag(tags) and (wanted.image_status or "ANY") in _SHOWN_STATUSES


def _tags_by_digest(call: Call, repository: Repository) -> dict[str, list[str]]:
    """The digest of each image with its tags, in the order of digests."""
    tags: dict[str, list[str]] = {one: [] for one in images.digests_of(call.tx, repository)}
    for tag in images.tags_of(call.tx, repository):
        tags[tag.digest].append(tag.tag)
    return tags


def _lookup(call: Call, repository: Repository) -> Callable[[str], str | None]:
    return lambda tag: images.digest_of(call.tx, repository, tag)


def _existing(call: Call, repository: Repository, identifier: shapes.ImageIdentifier) -> Image:
    found = named_image(identifier, _lookup(call, repository))
    image = images.get(call.tx, repository, found.digest) if isinstance(found, Named) else None
    if image is None:
        raise ImageNotFoundException(
            f"The image with imageId {{imageDigest:'{identifier.image_digest or 'null'}', "
            f"imageTag:'{identifier.image_tag or 'null'}'}} does not exist within the repository "
            f"with name '{repository.name}' in the registry with id '{repository.account}'"
        )
    return image
