"""What a model demands of the members of requests, and the sentences that AWS refuses with.

The tables are generated (`ecs/constraints.py` and its kin); this walk is the one reader. It only
looks at the members that a table names, so a request that demands nothing costs a dict lookup.
The sentences are those of Amazon's own validator, as every AWS JSON service writes them.
"""

import functools
import math
import re
from collections.abc import Collection, Mapping, Sequence

import msgspec

from moorage.ground.record import Record

VIOLATIONS_MAX = 50
SHOWN_LENGTH_MAX = 1024

# `\p` is Java's; Python's `\w` is exactly the letters, numbers and the underscore.
_JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": "",
    r"\p{Z}": r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}
# The model's pattern tries exponentially many ways on some texts that do not match; this one, for
# the same texts, tries one.
_EQUIVALENTS = {
    r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$": r"[a-z0-9*]+(?:[._\-/][a-z0-9*]+)*",
}


class Rule(Record):
    """What one value must satisfy; bounds count characters, elements or entries, or are values."""

    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""


class Constraint(Rule, kw_only=True):
    """What a member must satisfy; `each` holds for a list's elements or a map's values.

    `nested`: the member is a structure, or a list of structures, with constraints of its own.
    `sensitive`: its value is never repeated in a message.
    """

    member: str
    wire: str
    required: bool = False
    each: Rule | None = None
    keys: Rule | None = None
    nested: bool = False
    sensitive: bool = False


Constraints = Mapping[type, tuple[Constraint, ...]]


def violations(request: msgspec.Struct, constraints: Constraints) -> list[str]:
    """The sentences that say what is wrong with a request, at most VIOLATIONS_MAX; none if sound."""
    found: list[str] = []
    if type(request) in constraints:
        _walk(request, "", constraints, found)
    return found[:VIOLATIONS_MAX]


def message(sentences: Sequence[str]) -> str:
    """The one message for all violations: `2 validation errors detected: A; B`."""
    count = len(sentences)
    return f"{count} validation error{'s' * (count != 1)} detected: {'; '.join(sentences)}"


def _walk(value: object, path: str, constraints: Constraints, found: list[str]) -> None:
    for constraint in constraints.get(type(value), ()):
        inner = getattr(value, constraint.member)
        where = path + constraint.wire
        if inner is None:
            if constraint.required:
                found.append(f"Value null at '{where}' {_FAILED} Member must not be null")
            continue
        for demand in (*_broken(inner, constraint), *_broken_inside(inner, constraint)):
            shown = "Value" if constraint.sensitive else f"Value '{_shown(inner)}'"
            found.append(f"{shown} at '{where}' {_FAILED} {demand}")
        if constraint.nested:
            _walk_into(inner, where, constraints, found)


def _walk_into(value: object, where: str, constraints: Constraints, found: list[str]) -> None:
    if not isinstance(value, list):
        _walk(value, f"{where}.", constraints, found)
        return
    for place, element in enumerate(value, start=1):
        if len(found) >= VIOLATIONS_MAX:
            return
        _walk(element, f"{where}.{place}.member.", constraints, found)


def _broken_inside(value: object, constraint: Constraint) -> list[str]:
    """What a list or a map breaks by its elements; AWS then names all that holds for each."""
    if isinstance(value, list):
        contents: tuple[_Contents, ...] = (("Member", value, constraint.each),)
    elif isinstance(value, dict):
        contents = (
            ("Map keys", value.keys(), constraint.keys),
            ("Map value", value.values(), constraint.each),
        )
    else:
        return []
    return [
        f"{subject} must satisfy constraint: [{', '.join(_demands(rule, elements))}]"
        for subject, elements, rule in contents
        if rule is not None and any(_broken(element, rule) for element in elements)
    ]


_FAILED = "failed to satisfy constraint:"
_Contents = tuple[str, Collection[object], Rule | None]


def _broken(value: object, rule: Rule) -> list[str]:
    """The demands of a rule that a value does not meet."""
    word, size = _measure(value)
    broken = []
    low = -math.inf if rule.minimum is None else rule.minimum
    high = math.inf if rule.maximum is None else rule.maximum
    if size > high:
        broken.append(_at_most(word, high))
    if size < low:
        broken.append(_at_least(word, low))
    if isinstance(value, str):
        if rule.enum and value not in rule.enum:
            broken.append(_one_of(rule.enum))
        # A text that is too long is never matched: the pattern's cost stays bounded.
        if rule.pattern and size <= high and not _expression(rule.pattern).fullmatch(value):
            broken.append(_like(rule.pattern))
    return broken


def _demands(rule: Rule, elements: Collection[object]) -> list[str]:
    """All demands of a rule, for elements of which there is at least one."""
    word, _ = _measure(next(iter(elements)))
    return [
        *([] if rule.maximum is None else [_at_most(word, rule.maximum)]),
        *([] if rule.minimum is None else [_at_least(word, rule.minimum)]),
        *([_one_of(rule.enum)] if rule.enum else []),
        *([_like(rule.pattern)] if rule.pattern else []),
    ]


def _measure(value: object) -> tuple[str, float]:
    """What the bounds of a rule speak of, and how much of it the value has."""
    if isinstance(value, (int, float)):
        return "value", value
    return "length", len(value) if isinstance(value, (str, bytes, list, dict)) else 0


def _at_most(word: str, bound: float) -> str:
    return f"Member must have {word} less than or equal to {bound:.15g}"


def _at_least(word: str, bound: float) -> str:
    return f"Member must have {word} greater than or equal to {bound:.15g}"


def _one_of(enum: tuple[str, ...]) -> str:
    return f"Member must satisfy enum value set: [{', '.join(enum)}]"


def _like(pattern: str) -> str:
    return f"Member must satisfy regular expression pattern: {pattern}"


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    """The pattern of a model (Java's dialect, ASCII classes) as an expression of Python's."""
    text = _EQUIVALENTS.get(pattern, pattern)
    java = any(name in text for name in _JAVA_CLASSES)
    for name, characters in _JAVA_CLASSES.items():
        text = text.replace(name, characters)
    return re.compile(text, re.NOFLAG if java else re.ASCII)


def _shown(value: object) -> str:
    """A value as Java's `toString` writes it, cut to SHOWN_LENGTH_MAX characters."""
    if isinstance(value, list):
        text = f"[{', '.join(map(_shown, value[:SHOWN_LENGTH_MAX]))}]"
    elif isinstance(value, dict):
        text = f"{{{', '.join(f'{key}={inner}' for key, inner in value.items())}}}"
    elif isinstance(value, bytes):
        text = f"({len(value)} bytes)"
    else:
        text = str(value)
    return text[:SHOWN_LENGTH_MAX]
