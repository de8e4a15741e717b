"""Tags: which are sound, and which of them a task gets.

The bounds are those of every AWS service: 50 a resource, keys of 128 characters, values of 256,
and nobody but AWS itself gives keys that begin with `aws:`.
"""

from collections.abc import Iterable, Sequence

from moorage.ecs.rules.refusal import Refusal, invalid
from moorage.shapes.ecs.tag import Tag

TAGS_MAX = 50
KEY_LENGTH_MAX = 128
VALUE_LENGTH_MAX = 256
RESERVED_PREFIX = "aws:"
_TOO_MANY = invalid(f"A resource has at most {TAGS_MAX} tags.")


def refuse_tags(tags: Sequence[Tag] | None) -> Refusal | None:
    """Why a resource cannot be given these tags, or None."""
    keys = [tag.key or "" for tag in tags or ()]
    if len(keys) > TAGS_MAX:
        return _TOO_MANY
    if len(set(keys)) != len(keys):
        return invalid("A tag key is given twice.")
    for tag in tags or ():
        key, value = tag.key or "", tag.value or ""
        if not 1 <= len(key) <= KEY_LENGTH_MAX or len(value) > VALUE_LENGTH_MAX:
            return invalid(
                f"A tag's key has 1 to {KEY_LENGTH_MAX} characters, "
                f"its value at most {VALUE_LENGTH_MAX}."
            )
        if key.lower().startswith(RESERVED_PREFIX):
            return invalid(f"Tag keys that begin with {RESERVED_PREFIX} are reserved.")
    return None


def refuse_inheritance(own: Iterable[Tag], propagated: Iterable[Tag]) -> Refusal | None:
    """Why a task cannot have its own tags and those it inherits together, or None."""
    return _TOO_MANY if len(merged(propagated, own)) > TAGS_MAX else None


def refuse_untagging(keys: Iterable[str]) -> Refusal | None:
    """Why nobody may take these keys from a resource: AWS has given them."""
    if any(key.lower().startswith(RESERVED_PREFIX) for key in keys):
        return invalid(f"Tag keys that begin with {RESERVED_PREFIX} are reserved.")
    return None


def merged(before: Iterable[Tag], given: Iterable[Tag]) -> list[Tag]:
    """Tags with others laid over them, by key; a tag's place stays where it was."""
    values = {tag.key: tag.value for tag in before} | {tag.key: tag.value for tag in given}
    return [Tag(key=key, value=value or "") for key, value in values.items()]


def task_tags(
    own: Iterable[Tag], propagated: Iterable[Tag], *, cluster: str, service: str
) -> list[Tag]:
    """The tags of a new task: what it was given goes before what it inherits.

    `cluster` and `service` are the names for the tags that ECS manages; empty where there are none.
    """
    managed = {"aws:ecs:clusterName": cluster, "aws:ecs:serviceName": service}
    return merged(
        merged(propagated, own),
        [Tag(key=key, value=value) for key, value in managed.items() if value],
    )
