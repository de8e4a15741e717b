"""Which strategies and constraints may be asked for."""

import pytest

from moorage.ecs.rules.placement.strategy import (
    draws,
    levels,
    refuse_constraints,
    refuse_strategies,
)
from moorage.shapes.ecs.placement import PlacementConstraint, PlacementStrategy

SPREAD = PlacementStrategy(type="spread", field="instanceId")


@pytest.mark.parametrize(
    ("kind", "field", "sound"),
    [
        ("random", None, True),
        ("random", "cpu", False),
        ("binpack", "cpu", True),
        ("binpack", "MEMORY", True),
        ("binpack", "disk", False),
        ("binpack", None, False),
        ("spread", "instanceId", True),
        ("spread", "host", True),
        ("spread", "attribute:rack", True),
        ("spread", "attribute:", False),
        ("spread", "rack", False),
        ("nearest", None, False),
    ],
)
def test_strategies(kind, field, sound):
    refusal = refuse_strategies([PlacementStrategy(type=kind, field=field)])
    assert (refusal is None) is sound


@pytest.mark.parametrize(
    ("kind", "expression", "sound"),
    [
        ("distinctInstance", None, True),
        ("distinctInstance", "x", False),
        ("memberOf", "attribute:a == b", True),
        ("memberOf", "attribute:a ==", False),
        ("memberOf", None, False),
        ("memberOf", "a" * 2001, False),
        ("nearby", None, False),
    ],
)
def test_constraints(kind, expression, sound):
    refusal = refuse_constraints([PlacementConstraint(type=kind, expression=expression)])
    assert (refusal is None) is sound


def test_both_are_bounded():
    assert refuse_strategies([SPREAD] * 5) is None
    assert refuse_strategies([SPREAD] * 6) is not None
    distinct = PlacementConstraint(type="distinctInstance")
    assert refuse_constraints([distinct] * 10) is None
    assert refuse_constraints([distinct] * 11) is not None


def test_numbers_are_needed_for_random_alone():
    assert draws([SPREAD, PlacementStrategy(type="random")])
    assert not draws([SPREAD])
    assert [one.kind for one in levels([])] == ["attribute", "instance"]
