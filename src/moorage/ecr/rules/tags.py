"""Tags of repositories: which are sound, and what laying them over others gives.

ECR TagResource: 50 a resource, keys of at most 128 characters, values of at most 256, and nobody
but AWS itself gives keys that begin with `aws:`.
"""

from collections.abc import Iterable, Sequence

from moorage.shapes.ecr.tag import Tag

TAGS_MAX = 50
KEY_LENGTH_MAX = 128
VALUE_LENGTH_MAX = 256
RESERVED_PREFIX = "aws:"


def unsound_tags(tags: Sequence[Tag]) -> str | None:
    """Why nothing can be given these tags, or None."""
    keys = [tag.key or "" for tag in tags]
    if len(set(keys)) != len(keys):
        return "The request names a tag key twice."
    for tag in tags:
        key, value = tag.key or "", tag.value or ""
        if not 1 <= len(key) <= KEY_LENGTH_MAX or len(value) > VALUE_LENGTH_MAX:
            return (
                f"A tag's key has 1 to {KEY_LENGTH_MAX} characters, "
                f"its value at most {VALUE_LENGTH_MAX}."
            )
        if key.lower().startswith(RESERVED_PREFIX):
            return f"Tag keys that begin with {RESERVED_PREFIX} are reserved."
    return None


def merged(before: Iterable[Tag], given: Iterable[Tag]) -> list[Tag]:
    """Tags with others laid over them, by key; a tag's place stays where it was."""
    values = {tag.key: tag.value for tag in before} | {tag.key: tag.value for tag in given}
    return [Tag(key=key, value=value or "") for key, value in values.items()]
