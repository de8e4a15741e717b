"""Which image an identifier of the API means: by tag, by digest, or by both, which must agree.

ECR ImageFailure: the codes and, where they are known, its sentences.
"""

from collections.abc import Callable

from moorage.ground.digest import parse_digest
from moorage.ground.names import is_tag
from moorage.ground.record import Record
from moorage.shapes.ecr.image import ImageFailure, ImageIdentifier


class Named(Record):
    """The digest that an identifier means, and the tag that it names, if any."""

    digest: str
    tag: str | None = None


def named_image(
    identifier: ImageIdentifier, lookup: Callable[[str], str | None]
) -> Named | ImageFailure:
    """What an identifier means, or why nothing; `lookup` answers a tag's digest.

    Whether there is an image of that digest is for the caller to see.
    """
    tag, digest = identifier.image_tag, identifier.image_digest
    if tag is None and digest is None:
        return failure(
            identifier,
            "MissingDigestAndTag",
            "Invalid request parameters: both tag and digest cannot be null",
        )
    if digest is not None and parse_digest(digest) is None:
        return failure(
            identifier,
            "InvalidImageDigest",
            "Invalid request parameters: image digest should satisfy the regex "
            "'[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        )
    if tag is None:
        return Named(digest=digest or "")
    if not is_tag(tag):
        return failure(
            identifier, "InvalidImageTag", "Invalid request parameters: the image tag is not sound"
        )
    meant = lookup(tag)
    if meant is None:
        return failure(identifier, "ImageNotFound", "Requested image not found")
    if digest is not None and meant != digest:
        return failure(
            identifier, "ImageTagDoesNotMatchDigest", "The image tag does not match the digest"
        )
    return Named(digest=meant, tag=tag)


def failure(identifier: ImageIdentifier, code: str, reason: str) -> ImageFailure:
    """An entry of `failures[]`."""
    return ImageFailure(image_id=identifier, failure_code=code, failure_reason=reason)
