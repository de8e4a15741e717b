"""Faults: one class a code; a drawing of the tree that is true."""

import re

import pytest

from moorage.ground import fault
from moorage.ground.fault import Fault, Internal, TooLarge, Validation

COMMON = [one for one in vars(fault).values() if isinstance(one, type) and one.__base__ is Fault]
DRAWN = re.findall(r"[├└]─ (\w+) +(\d{3}) (\w+)", fault.__doc__ or "")


def test_the_drawing_shows_every_common_fault():
    assert {(one.__name__, str(one.status), one.code) for one in COMMON} == set(DRAWN)


def test_no_code_has_two_classes():
    assert len({one.code for one in COMMON}) == len(COMMON)


@pytest.mark.parametrize("one", COMMON)
def test_a_fault_carries_its_sentence_and_its_members(one):
    raised = one("It cannot be.", resourceIds=["a"])
    assert isinstance(raised, Fault)
    assert (str(raised), raised.message) == ("It cannot be.", "It cannot be.")
    assert raised.members == {"resourceIds": ["a"]}
    assert 400 <= raised.status < 600


def test_a_fault_may_be_silent():
    assert (Validation().message, Validation().members) == ("", {})


def test_who_is_to_blame():
    assert (Internal.status, TooLarge.status, Fault.status) == (500, 413, 400)
