"""Expressions of the cluster query language as trees: drawn, written down, and asked of a host.

How they are asked follows docs/reference/cluster-query-language.md to the letter and shares no line
with the product: texts go in by `written`, and the answer is worked out here from the tree.
"""

import operator
import re
from datetime import datetime
from typing import Any

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ground.instant import in_seconds
from moorage.ground.record import Record
from tests.ecs.properties.drawing import Draw

NOW_TEXT = "2027-01-15T08:00:00+00:00"


class Asked(Record):
    """One comparison; `values` has one value, or several for `in`, or none for `exists`."""

    subject: str
    sign: str
    values: tuple[str, ...] = ()


class Joined(Record):
    """`all`, `any` or `not` of others."""

    how: str
    parts: tuple["Tree", ...]


Tree = Asked | Joined

ORDERS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
OPPOSITES = {"!=": "==", "!in": "in", "!~": "=~", "!exists": "exists"}
_WORDS = {
    "==": ("==", "equals"),
    "!=": ("!=", "not_equals"),
    ">": (">", "greater_than"),
    ">=": (">=", "greater_than_equal"),
    "<": ("<", "less_than"),
    "<=": ("<=", "less_than_equal"),
    "in": ("in",),
    "!in": ("!in", "not_in"),
    "=~": ("=~", "matches"),
    "!~": ("!~", "not_matches"),
    "exists": ("exists",),
    "!exists": ("!exists", "not_exists"),
}
_TEXTS = {
    "attribute:ecs.availability-zone": ("a", "b", "c"),
    "attribute:rack": ("x", "y", "z", "none"),
    "attribute:size": ("2", "10", "10.5", "1.9.0", "1.10.0", "large"),
    "attribute:bare": ("", "x"),
    "attribute:missing": ("x",),
    "task:group": ("service:web", "service:db", "family:job", "service:none"),
    "ec2InstanceId": ("h1", "h2", "h12", "host"),
    "agentVersion": ("1.9.0", "1.105.1", "2.0"),
}
_PATTERNS = ("h.*", "[a-b]", "service:.*", "(x|y)", r"1\.[0-9]+(\.[0-9]+)?", "h1?", ".*")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.ASCII)
_VERSION = re.compile(r"[vV]?\d{1,9}(\.\d{1,9}){1,3}", re.ASCII)


def drawn(draw: Draw, depth: int = 2) -> Tree:
    """Any expression that the language has, true of some hosts and false of others."""
    if depth and draw.likely(45):
        how = draw.one_of(("all", "any", "not"))
        count = 1 if how == "not" else draw.between(2, 3)
        return Joined(how=how, parts=tuple(drawn(draw, depth - 1) for _ in range(count)))
    kind = draw.below(12)
    if kind == 0:
        truth = draw.one_of(("true", "false"))
        return Asked(subject="agentConnected", sign=draw.one_of(("==", "!=")), values=(truth,))
    if kind <= 2:
        sign = draw.one_of((*ORDERS, "==", "!="))
        number = draw.one_of(("0", "1", "2", "3", "2.0"))
        return Asked(subject="runningTasksCount", sign=sign, values=(number,))
    if kind == 3:
        moment = draw.one_of(("2027-01-15", NOW_TEXT, "2026-01-01T00:00:00Z", "2028-02-29"))
        sign = draw.one_of((*ORDERS, "==", "!="))
        return Asked(subject="registeredAt", sign=sign, values=(moment,))
    subject = draw.one_of(tuple(_TEXTS))
    sign = draw.one_of(tuple(_WORDS))
    texts = _TEXTS[subject]
    if sign in {"exists", "!exists"}:
        return Asked(subject=subject, sign=sign)
    if sign in {"in", "!in"}:
        return Asked(subject=subject, sign=sign, values=(draw.one_of(texts), draw.one_of(texts)))
    if sign in {"=~", "!~"}:
        return Asked(subject=subject, sign=sign, values=(draw.one_of(_PATTERNS),))
    return Asked(subject=subject, sign=sign, values=(draw.one_of(texts),))


def written(tree: Tree, spelling: int = 0) -> str:
    """The expression as a text; `spelling` chooses among signs and words that mean the same."""
    if isinstance(tree, Joined):
        texts = [f"({written(part, spelling // 2)})" for part in tree.parts]
        if tree.how == "not":
            return ("not " if spelling % 2 else "!") + texts[0]
        word = {"all": (" and ", " && "), "any": (" or ", " OR ")}[tree.how][spelling % 2]
        return word.join(texts)
    words = _WORDS[tree.sign]
    start = f"{tree.subject} {words[spelling % len(words)]}"
    values = [f"'{value}'" for value in tree.values]
    if tree.sign in {"in", "!in"}:
        return f"{start} [{', '.join(values)}]"
    return f"{start} {values[0]}" if values else start


def asks_of_tasks(tree: Tree) -> bool:
    """Whether what is placed may change the answer."""
    if isinstance(tree, Joined):
        return any(map(asks_of_tasks, tree.parts))
    return tree.subject in {"task:group", "runningTasksCount"}


def holds(tree: Tree, host: ContainerInstance, groups: list[str], running: int) -> bool:
    """Whether it is true of a host with tasks of these groups, so many of them RUNNING."""
    if isinstance(tree, Joined):
        results = [holds(part, host, groups, running) for part in tree.parts]
        return {"all": all, "any": any, "not": lambda one: not one[0]}[tree.how](results)
    sign = OPPOSITES.get(tree.sign, tree.sign)
    found = _values(tree.subject, host, groups, running)
    true = any(_true(tree.subject, sign, one, tree.values) for one in found)
    return not true if tree.sign in OPPOSITES else true


def _values(subject: str, host: ContainerInstance, groups: list[str], running: int) -> list[str]:
    kind, _, name = subject.partition(":")
    if kind == "attribute":
        return [one.value or "" for one in host.attributes if one.name == name]
    return {
        "agentConnected": ["true" if host.connected else "false"],
        "agentVersion": [host.agent_version] if host.agent_version else [],
        "ec2InstanceId": [host.name] if host.name else [],
        "registeredAt": [str(int(in_seconds(host.registered_at)))],
        "runningTasksCount": [str(running)],
        "task:group": groups,
        "task": groups,
    }[kind]


def _true(subject: str, sign: str, value: str, asked: tuple[str, ...]) -> bool:
    if sign == "exists":
        return True
    if subject == "registeredAt":
        asked = tuple(str(_seconds(one)) for one in asked)
    if sign == "=~":
        return re.fullmatch(asked[0], value) is not None
    if sign in ORDERS:
        return ORDERS[sign](*_comparable(value, asked[0]))
    if subject in {"runningTasksCount", "registeredAt"}:
        return float(value) in map(float, asked)
    return value in asked


def _seconds(text: str) -> int:
    whole = text if "T" in text else f"{text}T00:00:00+00:00"
    return int(datetime.fromisoformat(whole).timestamp())


def _comparable(one: str, other: str) -> tuple[Any, Any]:
    if _NUMBER.fullmatch(one) and _NUMBER.fullmatch(other):
        return float(one), float(other)
    if _VERSION.fullmatch(one) and _VERSION.fullmatch(other):
        return _version(one), _version(other)
    return one, other


def _version(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", text)]
