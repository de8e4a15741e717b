"""The cluster query language: parse an expression once, ask it of many hosts."""

from moorage.ecs.rules.placement.view import HostLoad
from moorage.ground.record import Record

EXPRESSION_LENGTH_MAX = 2000


class Rejection(Record):
    """Why a text is no expression, and at which character."""

    message: str
    position: int


class Expression(Record):
    """A parsed expression; `holds` asks it."""

    text: str


def parse(text: str) -> Expression | Rejection:
    """The expression that a text is; never raises."""
    raise NotImplementedError


def holds(expression: Expression, host: HostLoad) -> bool:
    """Whether the expression is true of a host; a comparison with what it lacks is false."""
    raise NotImplementedError
