"""Images, their identifiers and details, as ECR shows them."""

from collections.abc import Sequence

from moorage.ecr.records.image import Image
from moorage.ground.instant import epoch, maybe_epoch
from moorage.shapes.ecr import image as shapes

ACTIVE = "ACTIVE"


def view(image: Image, tag: str | None) -> shapes.Image:
    """An image with its manifest, by the tag it was asked for."""
    return shapes.Image(
        registry_id=image.account,
        repository_name=image.repository,
        image_id=shapes.ImageIdentifier(image_digest=image.digest, image_tag=tag),
        image_manifest=image.manifest,
        image_manifest_media_type=image.media_type,
    )


def detail(image: Image, tags: Sequence[str]) -> shapes.ImageDetail:
    """All that DescribeImages says of an image; one without a tag has no list of tags."""
    return shapes.ImageDetail(
        registry_id=image.account,
        repository_name=image.repository,
        image_digest=image.digest,
        image_tags=list(tags) or None,
        image_size_in_bytes=image.size,
        image_pushed_at=epoch(image.pushed_at),
        image_manifest_media_type=image.media_type,
        artifact_media_type=image.artifact_type,
        last_recorded_pull_time=maybe_epoch(image.pulled_at),
        subject_manifest_digest=image.subject,
        image_status=ACTIVE,
    )
