"""A machine's status moves along one table, and every machine can be got rid of."""

from typing import get_args

import pytest

from moorage.ecs.records.machine import MachineStatus
from moorage.ecs.rules.capacity.machine import TABLE

STATUSES = get_args(MachineStatus)


def test_every_status_stands_in_the_table():
    assert set(TABLE.moves) == set(STATUSES)
    assert set().union(*TABLE.moves.values()) == set(STATUSES)


@pytest.mark.parametrize("status", STATUSES)
def test_from_everywhere_a_machine_can_be_unmade_and_then_nothing_else(status):
    assert TABLE.allows(status, "DESTROYING")
    assert TABLE.moves["DESTROYING"] == frozenset()


def test_what_is_drained_is_not_made_anew():
    assert not TABLE.allows("RETIRING", "CREATING")
    with pytest.raises(AssertionError):
        TABLE.check("DESTROYING", "JOINED")
