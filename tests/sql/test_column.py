from enum import Enum, StrEnum
from typing import Any, Literal

import pytest
import sqlalchemy as core

from moorage.ground.instant import Duration, Instant
from moorage.ground.record import Record
from moorage.sql.column import column_type


class Colour(StrEnum):
    RED = "RED"


class Level(Enum):
    LOW = 1


class Mixed(Record):
    text: str
    maybe_text: str | None = None
    literal: Literal["A", "B"] | None = None
    colour: Colour = Colour.RED
    whole: int = 0
    instant: Instant = Instant(0)
    maybe_duration: Duration | None = None
    flag: bool = False
    level: Level = Level.LOW
    fraction: float = 0.0
    either: str | int = 0
    nested: tuple[str, ...] = ()
    nothing: None = None

    @property
    def derived(self) -> Instant | None:
        return self.instant

    @property
    def arn(self) -> str:
        return self.text


@pytest.mark.parametrize("name", ["text", "maybe_text", "literal", "colour", "arn"])
def test_texts(name: str):
    assert isinstance(column_type(Mixed, name), core.Text)


@pytest.mark.parametrize("name", ["whole", "instant", "maybe_duration", "flag", "level", "derived"])
def test_integers(name: str):
    assert isinstance(column_type(Mixed, name), core.BigInteger)


@pytest.mark.parametrize("name", ["fraction", "either", "nested", "nothing"])
def test_others_fit_no_column(name: str):
    with pytest.raises(AssertionError, match=f"Mixed.{name} fits no"):
        column_type(Mixed, name)


def test_a_member_that_is_missing_is_named():
    with pytest.raises(AssertionError, match="Mixed has no member 'missing'"):
        column_type(Mixed, "missing")


def test_any_fits_no_column():
    class Loose(Record):
        thing: Any

    with pytest.raises(AssertionError):
        column_type(Loose, "thing")
