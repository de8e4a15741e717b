"""Records: frozen, compared by value, replaced, and silent about their defaults."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ground.record import Record, evolve


class Boat(Record):
    name: str
    berth: int = 1
    owner: str | None = None


def test_a_record_cannot_be_changed():
    boat = Boat(name="Ada")
    with pytest.raises(AttributeError):
        boat.name = "Eve"  # type: ignore[misc]


def test_evolve_leaves_the_old_record_as_it_was():
    boat = Boat(name="Ada")
    assert evolve(boat, berth=2) == Boat(name="Ada", berth=2)
    assert boat.berth == 1


def test_evolve_knows_its_members():
    with pytest.raises(TypeError):
        evolve(Boat(name="Ada"), colour="red")


@pytest.mark.parametrize(
    ("boat", "document"),
    [
        (Boat(name="Ada"), b'{"name":"Ada"}'),
        (Boat(name="Ada", berth=1, owner=None), b'{"name":"Ada"}'),
        (Boat(name="Ada", berth=2, owner="Eve"), b'{"name":"Ada","berth":2,"owner":"Eve"}'),
    ],
)
def test_defaults_are_not_written(boat, document):
    assert msgspec.json.encode(boat) == document
    assert msgspec.json.decode(document, type=Boat) == boat


@given(st.text(), st.integers(-(2**63), 2**63 - 1), st.none() | st.text())
def test_equal_records_are_one_key(name, berth, owner):
    first, second = (Boat(name=name, berth=berth, owner=owner) for _ in range(2))
    assert first == second
    assert len({first, second}) == 1
