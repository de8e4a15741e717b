"""Whether a tag may move.

ECR PutImageTagMutability: an IMMUTABLE repository never moves a tag; of the two words with
exclusions, the filters name the tags that are treated the other way. A tag may always be given
the digest that it has.
"""

from collections.abc import Sequence

from moorage.ecr.records.repository import Repository

EXCLUDING = "_WITH_EXCLUSION"
FILTERS_MAX = 5
# As the documentation of aws_ecr_repository in Terraform has it: "a maximum of 2 wildcards".
WILDCARDS_MAX = 2


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


def unsound_filters(mutability: str, filters: Sequence[str]) -> str | None:
    """Why a mutability cannot have these filters, or None.

    ECR: 1 to 5 filters with each of the two words with exclusions, none with the others, each with
    at most two wildcards.
    """
    if mutability.endswith(EXCLUDING) != bool(filters):
        return (
            f"imageTagMutabilityExclusionFilters are required with, and only with, "
            f"MUTABLE{EXCLUDING} and IMMUTABLE{EXCLUDING}."
        )
    if len(filters) > FILTERS_MAX:
        return f"There are at most {FILTERS_MAX} exclusion filters."
    if len(set(filters)) != len(filters):
        return "An exclusion filter stands twice."
    if any(one.count("*") > WILDCARDS_MAX for one in filters):
        return f"An exclusion filter has at most {WILDCARDS_MAX} wildcards."
    return None


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
