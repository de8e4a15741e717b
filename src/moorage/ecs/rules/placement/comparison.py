"""One comparison of the cluster query language: a subject, an operator, arguments."""

import functools
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from moorage.ecs.rules.placement.pattern import BadPattern, Pattern, compile_pattern
from moorage.ecs.rules.placement.view import HostLoad
from moorage.ground.instant import iso
from moorage.ground.record import Record

VALUES_MAX = 100
_PATTERNS_MAX = 256
_ATTRIBUTE = "attribute:"
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)
_VERSION = re.compile(r"[vV]?[0-9]{1,9}(?:\.[0-9]{1,9}){1,3}", re.ASCII)

# Every way to write an operator, and the one by which it is known here.
OPERATORS = {
    "==": "==",
    "equals": "==",
    "!=": "!=",
    "not_equals": "!=",
    ">": ">",
    "greater_than": ">",
    ">=": ">=",
    "greater_than_equal": ">=",
    "<": "<",
    "less_than": "<",
    "<=": "<=",
    "less_than_equal": "<=",
    "exists": "exists",
    "!exists": "!exists",
    "not_exists": "!exists",
    "in": "in",
    "!in": "!in",
    "not_in": "!in",
    "=~": "=~",
    "matches": "=~",
    "!~": "!~",
    "not_matches": "!~",
}
_NEGATED = {"!=": "==", "!exists": "exists", "!in": "in", "!~": "=~"}
_ORDERING = frozenset({">", ">=", "<", "<="})


class Comparison(Record):
    """`operator` is one of the values of OPERATORS; `values` are its arguments."""

    subject: str
    operator: str
    values: tuple[str, ...] = ()


def comparison(subject: str, operator: str, values: tuple[str, ...]) -> Comparison | str:
    """The comparison, or the sentence that says why it is none."""
    if subject not in _SUBJECTS and not subject.startswith(_ATTRIBUTE):
        return f"unknown subject {subject}"
    if subject == _ATTRIBUTE:
        return "attribute: needs a name"
    if len(values) > VALUES_MAX:
        return f"a list has at most {VALUES_MAX} values"
    if operator in {"=~", "!~"}:
        pattern = _compiled(values[0])
        if isinstance(pattern, BadPattern):
            return f"bad pattern: {pattern.message}"
    elif subject == "agentConnected" and operator in _ORDERING:
        return "agentConnected is true or false, neither of them the greater"
    elif subject in _READ:
        read, form = _READ[subject]
        wrong = next((value for value in values if read(value) is None), None)
        if wrong is not None:
            return f"{subject} is compared with {form}, which {wrong} is not"
    return Comparison(subject=subject, operator=operator, values=values)


def holds(asked: Comparison, host: HostLoad) -> bool:
    """Whether the comparison is true of a host; several values of it are tried one by one."""
    positive = _NEGATED.get(asked.operator)
    if positive is not None:
        return not _positive(asked, positive, host)
    return _positive(asked, asked.operator, host)


def written(asked: Comparison) -> str:
    """A text that parses to the same comparison."""
    start = f"{_quoted(asked.subject)} {asked.operator}"
    if not asked.values:
        return start
    if asked.operator in {"in", "!in"}:
        return f"{start} [{', '.join(map(_quoted, asked.values))}]"
    return f"{start} {_quoted(asked.values[0])}"


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def _positive(asked: Comparison, operator: str, host: HostLoad) -> bool:
    found = _values(asked.subject, host)
    if operator == "exists":
        return bool(found)
    test = _TESTS[operator]
    values: Sequence[str] = asked.values
    if asked.subject in _READ and operator != "=~":
        read, _ = _READ[asked.subject]
        found, values = [_read(read, one) for one in found], [_read(read, one) for one in values]
    return any(test(value, values) for value in found)


def _values(subject: str, host: HostLoad) -> Sequence[str]:
    read = _SUBJECTS.get(subject)
    if read is not None:
        return read(host)
    value = host.attributes.get(subject.removeprefix(_ATTRIBUTE))
    return () if value is None else (value,)


def _maybe(text: str) -> Sequence[str]:
    return (text,) if text else ()


_SUBJECTS: dict[str, Callable[[HostLoad], Sequence[str]]] = {
    "agentConnected": lambda host: (str(host.instance.connected).lower(),),
    "agentVersion": lambda host: _maybe(host.instance.agent_version),
    "ec2InstanceId": lambda host: _maybe(host.instance.name),
    "registeredAt": lambda host: (iso(host.instance.registered_at),),
    "runningTasksCount": lambda host: (str(host.running),),
    "task:group": lambda host: tuple(name for name, count in host.groups.items() if count),
}


# What changes with the tasks on a host; all else is the host's own.
OF_TASKS = frozenset({"runningTasksCount", "task:group"})


def _truth(text: str) -> str | None:
    return text.lower() if text.lower() in {"true", "false"} else None


def _count(text: str) -> str | None:
    """A number, written in the one way in which it is equal to itself: `2` for `2.0`."""
    return f"{Decimal(text).normalize():f}" if _NUMBER.fullmatch(text) else None


def _time(text: str) -> str | None:
    """The whole epoch seconds of a date or time in ISO 8601, as a number; UTC if it has no zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return str(int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()))


# How the values of a subject are read that are no plain texts, and how such a value looks. Patterns
# are matched against the text as it is.
_READ: dict[str, tuple[Callable[[str], str | None], str]] = {
    "agentConnected": (_truth, "true or false"),
    "registeredAt": (_time, "a time such as 2018-06-18T22:28:28+00:00"),
    "runningTasksCount": (_count, "a number"),
}


def _read(read: Callable[[str], str | None], text: str) -> str:
    found = read(text)
    return text if found is None else found


@functools.lru_cache(maxsize=_PATTERNS_MAX)
def _compiled(text: str) -> Pattern | BadPattern:
    return compile_pattern(text)


def _matches(value: str, values: Sequence[str]) -> bool:
    pattern = _compiled(values[0])
    return isinstance(pattern, Pattern) and pattern.matches(value)


def _ordered(value: str, other: str) -> int:
    """Below, at or above zero as `value` stands to `other`: numbers, versions, else texts."""
    if _NUMBER.fullmatch(value) and _NUMBER.fullmatch(other):
        left, right = float(value), float(other)
        return (left > right) - (left < right)
    if _VERSION.fullmatch(value) and _VERSION.fullmatch(other):
        mine, theirs = _version(value), _version(other)
        return (mine > theirs) - (mine < theirs)
    return (value > other) - (value < other)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.lstrip("vV").split("."))


_TESTS: dict[str, Callable[[str, Sequence[str]], bool]] = {
    "==": lambda value, values: value == values[0],
    "in": lambda value, values: value in values,
    "=~": _matches,
    ">": lambda value, values: _ordered(value, values[0]) > 0,
    ">=": lambda value, values: _ordered(value, values[0]) >= 0,
    "<": lambda value, values: _ordered(value, values[0]) < 0,
    "<=": lambda value, values: _ordered(value, values[0]) <= 0,
}
