"""Whether a tag may move.

ECR PutImageTagMutability: an IMMUTABLE repository never moves a tag; of the two words with
exclusions, the filters name the tags that are treated the other way. A tag may always be given
the digest that it has.
"""

from moorage.ecr.records.repository import Repository


def may_move(repository: Repository, tag: str) -> bool:
    """Whether `tag` of `repository` may be given another digest than it has."""
    excluded = any(matches(one.filter or "", tag) for one in repository.exclusion_filters)
    match repository.mutability:
        case "IMMUTABLE":
            return False
        case "IMMUTABLE_WITH_EXCLUSION":
            return excluded
        case "MUTABLE_WITH_EXCLUSION":
            return not excluded
        case _:
            return True


def matches(pattern: str, text: str) -> bool:
    """Whether a wildcard pattern (`*` stands for any text) matches all of `text`; linear time."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    if not text.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(rest[-1]) and text.endswith(rest[-1])
