from enum import Enum, StrEnum

import pytest
import sqlalchemy as core
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.fault import Validation
from moorage.sql.statement import Statement, bound, listed, plain


class Colour(StrEnum):
    RED = "RED"


class Level(Enum):
    LOW = 1


T = core.table("t", core.column("a"), core.column("b"))


def test_compiles_once_for_each_dialect():
    statement = Statement(core.select(T.c.a).where(T.c.b == core.bindparam("b")))
    text, literals = statement.compiled("sqlite")
    assert " ".join(text.split()) == "SELECT t.a FROM t WHERE t.b = :b"
    assert literals == {}
    assert statement.compiled("sqlite")[0] is text
    assert "t.b = %(b)s" in statement.compiled("postgresql")[0]


def test_keeps_the_values_that_the_expression_holds():
    statement = Statement(core.select(T.c.a).where(T.c.b == "fixed"))
    assert statement.compiled("sqlite")[1] == {"b_1": "fixed"}


def test_speaks_differently_to_postgresql_where_told_to():
    statement = Statement(core.text("SELECT 1"), core.text("SELECT 100 % 3"))
    assert statement.compiled("sqlite")[0] == "SELECT 1"
    assert statement.compiled("postgresql")[0] == "SELECT 100 %% 3"


@pytest.mark.parametrize(
    ("value", "kept"),
    [("a", "a"), ("ä🚢", "ä🚢"), ("", ""), (7, 7), (True, 1), (None, None), (Colour.RED, "RED"),
     (Level.LOW, 1), (2**63 - 1, 2**63 - 1), (-(2**63), -(2**63))],
)  # fmt: skip
def test_plain_values(value: object, kept: object):
    assert plain(value) == kept
    assert type(plain(value)) is type(kept)


@pytest.mark.parametrize("value", ["\0", "a\0b", "ä\0", "\ud800", "a\udfff", 2**63, -(2**63) - 1])
def test_what_no_database_keeps_is_refused(value: object):
    with pytest.raises(Validation):
        plain(value)


@pytest.mark.parametrize("value", [1.5, b"x", [], {}])
def test_what_fits_no_column_is_a_bug(value: object):
    with pytest.raises(AssertionError):
        plain(value)


@given(st.text())
def test_every_text_is_kept_or_refused(text: str):
    try:
        assert plain(text) == text
    except Validation:
        assert "\0" in text or any("\ud800" <= char <= "\udfff" for char in text)


def test_bytes_are_bound_as_they_are():
    assert bound({"key": b"\0", "name": "a"}) == {"key": b"\0", "name": "a"}


def test_lists_are_bound_as_one_value():
    assert listed("sqlite", ["a", 'b"', None]) == '["a","b\\""]'
    assert listed("postgresql", ["a", None, "b"]) == ["a", "b"]
    assert listed("sqlite", [1, 2]) == "[1,2]"
