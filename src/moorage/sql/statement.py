"""Statements of SQLAlchemy Core, compiled once to text that runs on the driver's own cursor.

A Core execution costs ten times a raw one; the text is what Core is wanted for. Texts are made at
first use, so that importing a house does not compile for a dialect that is never spoken.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Literal

import msgspec
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import Dialect as CoreDialect
from sqlalchemy.sql import ClauseElement

from moorage.ground.fault import Validation

Dialect = Literal["sqlite", "postgresql"]
Value = str | int | None
Binding = str | int | bytes | list[str] | list[int] | None

DIALECTS: dict[Dialect, CoreDialect] = {
    "sqlite": SQLiteDialect(paramstyle="named"),
    "postgresql": PGDialect(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
}
INTEGER_MAX = 2**63 - 1


class Statement:
    """One SQL statement in both dialects, with its bound values by name.

    `postgresql` is what PostgreSQL is told instead, where one expression does not serve both.
    """

    __slots__ = ("_compiled", "_expressions")

    def __init__(self, expression: ClauseElement, postgresql: ClauseElement | None = None) -> None:
        """Keep the expressions; they are compiled when first used."""
        self._expressions: dict[Dialect, ClauseElement] = {
            "sqlite": expression,
            "postgresql": expression if postgresql is None else postgresql,
        }
        self._compiled: dict[Dialect, tuple[str, dict[str, object]]] = {}

    def compiled(self, dialect: Dialect) -> tuple[str, dict[str, object]]:
        """The text for a dialect, and the values that the expression itself holds."""
        known = self._compiled.get(dialect)
        if known is None:
            compiled = self._expressions[dialect].compile(dialect=DIALECTS[dialect])
            literals = {
                name: value for name, value in (compiled.params or {}).items() if value is not None
            }
            known = self._compiled[dialect] = (str(compiled), literals)
        return known


def plain(value: object) -> Value:
    """The value as both databases keep it: text without NUL, a 64-bit integer, or None.

    Booleans become 0 or 1, enumerations their value. Raises Validation for a text that PostgreSQL
    could not hold, on SQLite too, so that both refuse the same.
    """
    if type(value) is str and value.isascii() and "\0" not in value:
        return value
    if value is None:
        return None
    if type(value) is bool:
        return int(value)
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        if "\0" in value or not (value.isascii() or _is_unicode(value)):
            raise Validation("A text holds a NUL or a half of a surrogate pair.")
        return value if type(value) is str else str.__str__(value)
    if isinstance(value, int):
        if not -INTEGER_MAX - 1 <= value <= INTEGER_MAX:
            raise Validation("A number is longer than 64 bits.")
        return int(value)
    raise AssertionError(f"columns hold text, integers or NULL, not {type(value).__name__}")


def bound(values: Mapping[str, object]) -> dict[str, Binding]:
    """Values for a statement of the caller's own: as `plain`, and bytes as they are."""
    return {
        name: value if isinstance(value, bytes) else plain(value) for name, value in values.items()
    }


def listed(dialect: Dialect, values: Iterable[object]) -> Binding:
    """Many values bound as one: a JSON array for SQLite's json_each, an array for PostgreSQL."""
    kept = [value for value in map(plain, values) if value is not None]
    if dialect == "sqlite":
        return msgspec.json.encode(kept).decode()
    return kept  # type: ignore[return-value]  # a column holds texts or integers, never both


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
