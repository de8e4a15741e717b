"""The cluster query language: parse an expression once, ask it of many hosts.

AWS: "Create expressions to define container instances for Amazon ECS tasks". A comparison is
`subject operator [argument]`; comparisons are joined by `and` (`&&`), `or` (`||`), `not` (`!`) and
parentheses, `not` before `and` before `or`. The negated operators (`!=`, `!in`, `!~`, `!exists`)
are true exactly where their opposites are false. The words may be in capitals. The grammar and what
each subject is compared with: docs/reference/cluster-query-language.md.
"""

import functools
import re
from typing import TypeAlias

from moorage.ecs.rules.placement import comparison
from moorage.ecs.rules.placement.comparison import Comparison
from moorage.ecs.rules.placement.view import HostLoad
from moorage.ground.record import Record

EXPRESSION_LENGTH_MAX = 2000
DEPTH_MAX = 50
_PARSED_MAX = 1024

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<sign>&&|\|\||!=|!~|!in\b|!exists\b|==|=~|>=|<=|[!<>()\[\],])
    | '(?P<single>[^']*)' | "(?P<double>[^"]*)"
    | (?P<word>[^\s'"()\[\],!=<>&|~]+)
    )""",
    re.VERBOSE,
)
# After =~ and !~ a bare pattern goes on to the next space or to a parenthesis it did not open.
_PATTERN_OPERATORS = frozenset({"=~", "!~", "matches", "not_matches"})
_WORDS = {"and": "&&", "or": "||", "not": "!"}


class Rejection(Record):
    """Why a text is no expression, and at which character."""

    message: str
    position: int


class Not(Record):
    """True where `inner` is false."""

    inner: "Node"


class AllOf(Record):
    """True where all `parts` are."""

    parts: tuple["Node", ...]


class AnyOf(Record):
    """True where one of `parts` is."""

    parts: tuple["Node", ...]


Node: TypeAlias = Comparison | Not | AllOf | AnyOf


class Expression(Record):
    """A parsed expression; `holds` asks it."""

    root: Node


class _Refused(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.rejection = Rejection(message=message, position=position)


@functools.lru_cache(maxsize=_PARSED_MAX)
def parse(text: str) -> Expression | Rejection:
    """The expression that a text is; never raises."""
    if len(text) > EXPRESSION_LENGTH_MAX:
        return Rejection(
            message=f"an expression has at most {EXPRESSION_LENGTH_MAX} characters",
            position=EXPRESSION_LENGTH_MAX,
        )
    try:
        return Expression(root=_Parser(text).whole())
    except _Refused as refused:
        return refused.rejection


def holds(expression: Expression, host: HostLoad) -> bool:
    """Whether the expression is true of a host."""
    return _holds(expression.root, host)


def asks_of_tasks(expression: Expression) -> bool:
    """Whether its answer for a host may change with the tasks that are there."""
    return _asks_of_tasks(expression.root)


def follows_tasks(text: str) -> bool:
    """Whether the answers of the expression that a text is may change with the tasks of hosts."""
    expression = parse(text)
    return not isinstance(expression, Rejection) and asks_of_tasks(expression)


def written(node: Node) -> str:
    """A text that parses to the same node: the inverse of `parse`."""
    if isinstance(node, Comparison):
        return comparison.written(node)
    if isinstance(node, Not):
        return f"not ({written(node.inner)})"
    joint = " and " if isinstance(node, AllOf) else " or "
    return joint.join(f"({written(part)})" for part in node.parts)


def _holds(node: Node, host: HostLoad) -> bool:
    if isinstance(node, Comparison):
        return comparison.holds(node, host)
    if isinstance(node, Not):
        return not _holds(node.inner, host)
    results = (_holds(part, host) for part in node.parts)
    return all(results) if isinstance(node, AllOf) else any(results)


def _asks_of_tasks(node: Node) -> bool:
    if isinstance(node, Comparison):
        return node.subject in comparison.OF_TASKS
    if isinstance(node, Not):
        return _asks_of_tasks(node.inner)
    return any(map(_asks_of_tasks, node.parts))


class _Parser:
    """Recursive descent over the tokens of one text; raises _Refused."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def whole(self) -> Node:
        node = self.either()
        token, start, _ = self.token()
        if token:
            raise _Refused(f"unexpected {token}", start)
        return node

    def either(self) -> Node:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise _Refused("too deeply nested", self.at)
        parts = [self.both()]
        while self.accept("||"):
            parts.append(self.both())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else AnyOf(parts=tuple(parts))

    def both(self) -> Node:
        parts = [self.negated()]
        while self.accept("&&"):
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else AllOf(parts=tuple(parts))

    def negated(self) -> Node:
        count = 0
        while self.accept("!"):
            count += 1
        node = self.single()
        if count > DEPTH_MAX:
            raise _Refused("too deeply nested", self.at)
        for _ in range(count):
            node = Not(inner=node)
        return node

    def single(self) -> Node:
        if self.accept("("):
            node = self.either()
            if not self.accept(")"):
                raise _Refused("missing )", self.at)
            return node
        subject, start = self.value("a subject")
        operator, position, end = self.token()
        name = comparison.OPERATORS.get(operator.lower())
        if name is None:
            raise _Refused("an operator is missing", position)
        self.at = end
        arguments = self.arguments(name)
        made = comparison.comparison(subject, name, arguments)
        if isinstance(made, str):
            raise _Refused(made, start)
        return made

    def arguments(self, operator: str) -> tuple[str, ...]:
        if operator in {"exists", "!exists"}:
            return ()
        if operator in _PATTERN_OPERATORS:
            return (self.pattern(),)
        if operator not in {"in", "!in"}:
            return (self.value("a value")[0],)
        if not self.accept("["):
            raise _Refused("a list [...] is missing", self.at)
        values = [self.value("a value")[0]]
        while self.accept(","):
            values.append(self.value("a value")[0])
        if not self.accept("]"):
            raise _Refused("missing ]", self.at)
        return tuple(values)

    def pattern(self) -> str:
        rest = self.text[self.at :]
        self.at += len(rest) - len(rest.lstrip())
        if self.text[self.at : self.at + 1] in {"'", '"', ""}:
            return self.value("a pattern")[0]
        start, opened = self.at, 0
        while self.at < len(self.text) and not self.text[self.at].isspace():
            opened += {"(": 1, ")": -1}.get(self.text[self.at], 0)
            if opened < 0:
                break
            self.at += 1
        bare = self.text[start : self.at]
        if not bare or ("'" in bare and '"' in bare):
            raise _Refused("a pattern is missing", start)
        return bare

    def value(self, what: str) -> tuple[str, int]:
        """The word or quoted text that stands here, and where."""
        match = _TOKEN.match(self.text, self.at)
        if match is None or match["sign"] is not None:
            raise _Refused(f"{what} is missing", self.at)
        self.at = match.end()
        found = next(
            one for one in (match["single"], match["double"], match["word"]) if one is not None
        )
        return found, match.start(match.lastgroup or 0)

    def accept(self, sign: str) -> bool:
        """Whether `sign` (or the word for it) stands here; it is then taken."""
        token, _, end = self.token()
        if _WORDS.get(token.lower(), token) != sign:
            return False
        self.at = end
        return True

    def token(self) -> tuple[str, int, int]:
        """The sign or bare word that stands here, where it begins and ends; "" at the end."""
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            rest = self.text[self.at :].strip()
            if rest:
                raise _Refused(f"unexpected {rest[0]}", self.at)
            return "", len(self.text), len(self.text)
        name = match.lastgroup or "word"
        found = match[name] if name in {"sign", "word"} else repr(match[name])
        return found, match.start(name), match.end()
