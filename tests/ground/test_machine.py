"""Tables of transitions: what is not in the table is a bug."""

from collections.abc import Iterable

import pytest

from moorage.ground.machine import Machine, Transitions

DOOR = Transitions({"open": frozenset({"closed"}), "closed": frozenset({"open", "locked"})})


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ("open", "closed", True),
        ("closed", "locked", True),
        ("open", "open", True),  # a status may always stay
        ("locked", "locked", True),
        ("open", "locked", False),
        ("locked", "open", False),  # a status without a row is the end
    ],
)
def test_the_table_decides(before, after, allowed):
    assert DOOR.allows(before, after) is allowed
    if allowed:
        assert DOOR.check(before, after) == after
    else:
        with pytest.raises(AssertionError, match=f"illegal move from {before} to {after}"):
            DOOR.check(before, after)


class Echo:
    """The least of machines."""

    def handle(self, event: str) -> Iterable[str]:
        return [event]


def test_a_machine_answers_instructions():
    machine: Machine[str, str] = Echo()
    assert list(machine.handle("hello")) == ["hello"]
