"""Managed scaling as arithmetic: a table of ECS's numbers, and what holds for any of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.rules.capacity.scaling import Rule, Standing, needed, reservation, rule_of, scale
from moorage.ground.instant import Duration, Instant, later, minutes, seconds
from moorage.ground.record import evolve
from moorage.shapes.ecs.capacity_provider import ManagedScaling

NOW = Instant(10**15)
RULE = Rule(maximum=100, managed=True, scale_in=minutes(15))


@pytest.mark.parametrize(
    ("standing", "measured"),
    [
        (Standing(), 100),
        (Standing(more=1), 200),
        (Standing(more=None), 200),
        (Standing(there=4, used=4), 100),
        (Standing(there=4, used=2), 50),
        (Standing(there=4, used=0), 0),
        (Standing(there=4, used=4, more=2), 150),
        (Standing(there=3, used=1, more=3), 200),
    ],
)
def test_the_reservation_is_needed_of_those_that_are_there(standing, measured):
    assert reservation(standing) == measured


@pytest.mark.parametrize(
    ("rule", "standing", "create", "cause"),
    [
        ({}, Standing(), 0, "steady"),
        ({}, Standing(more=None), 2, "demand"),
        ({"step_max": 1}, Standing(more=None), 1, "demand"),
        ({"maximum": 1}, Standing(more=None), 1, "demand"),
        ({}, Standing(more=3), 3, "demand"),
        ({}, Standing(coming=2, more=None), 0, "steady"),
        ({}, Standing(there=2, used=2, more=5), 5, "demand"),
        ({}, Standing(there=2, used=2, coming=3, more=5), 2, "demand"),
        ({}, Standing(there=2, used=2, coming=5, more=5), 0, "steady"),
        ({"step_max": 3}, Standing(there=2, used=2, more=5), 3, "demand"),
        ({"step_min": 4}, Standing(there=2, used=2, more=1), 4, "demand"),
        ({"maximum": 3}, Standing(there=2, used=2, more=5), 1, "demand"),
        ({"minimum": 2}, Standing(), 2, "minimum"),
        ({"target": 50}, Standing(there=2, used=2), 2, "demand"),
        ({"target": 90}, Standing(there=9, used=9), 1, "demand"),
        ({"managed": False, "minimum": 2}, Standing(there=1, more=7), 1, "minimum"),
        ({"managed": False}, Standing(there=1, more=7), 0, "steady"),
    ],
)
def test_a_pool_grows_by(rule, standing, create, cause):
    found = scale(evolve(RULE, **rule), standing, NOW)
    assert (found.create, found.cause, found.retire) == (create, cause, 0)


def test_a_surplus_has_to_last():
    standing = Standing(there=4, used=1)
    first = scale(RULE, standing, NOW)
    assert (first.retire, first.low_since, first.look_again) == (0, NOW, later(NOW, minutes(15)))
    held = evolve(standing, low_since=NOW)
    almost = scale(RULE, held, later(NOW, Duration(minutes(15) - 1)))
    assert (almost.retire, almost.low_since) == (0, NOW)
    due = scale(RULE, held, later(NOW, minutes(15)))
    assert (due.retire, due.cause, due.wanted) == (3, "surplus", 1)
    steady = scale(RULE, evolve(held, used=4), later(NOW, minutes(15)))
    assert (steady.retire, steady.low_since) == (0, None)


def test_what_is_over_the_maximum_goes_at_once():
    found = scale(evolve(RULE, maximum=2), Standing(there=5, used=5), NOW)
    assert (found.retire, found.cause) == (3, "maximum")


def test_the_minimum_stays():
    held = Standing(there=4, low_since=Instant(0))
    assert scale(evolve(RULE, minimum=3), held, NOW).retire == 1


def test_a_rule_is_made_of_the_provider_and_the_settings():
    scaling = ManagedScaling(
        status="ENABLED",
        target_capacity=80,
        minimum_scaling_step_size=2,
        maximum_scaling_step_size=5,
    )
    assert rule_of(scaling, 1, 9, seconds(5)) == Rule(
        minimum=1, maximum=9, managed=True, target=80, step_min=2, step_max=5, scale_in=seconds(5)
    )
    assert not rule_of(evolve(scaling, status="DISABLED"), 1, 9, seconds(5)).managed
    assert not rule_of(None, 1, 9, seconds(5)).managed


STANDINGS = st.builds(
    lambda there, used, coming, more: Standing(
        there=there, used=min(used, there), coming=coming, more=more
    ),
    *(st.integers(0, 50),) * 3,
    st.none() | st.integers(0, 50),
)
RULES = st.builds(
    lambda low, extra, target, step, further: Rule(
        minimum=low,
        maximum=low + extra,
        managed=True,
        target=target,
        step_min=step,
        step_max=step + further,
        scale_in=Duration(0),
    ),
    st.integers(0, 20),
    st.integers(0, 80),
    st.integers(1, 100),
    st.integers(1, 10),
    st.integers(0, 100),
)


@given(RULES, STANDINGS)
def test_bounds_hold_and_what_was_done_is_enough(rule, standing):
    found = scale(rule, standing, NOW)
    total = standing.there + standing.coming
    assert not (found.create and found.retire)
    after = total + found.create - found.retire
    assert found.create == 0 or after <= rule.maximum
    assert after <= max(rule.maximum, total)
    assert after >= min(rule.minimum, rule.maximum)
    # Those that are coming are counted: asked again at once, nothing more is asked for.
    asked = evolve(standing, coming=standing.coming + found.create)
    assert scale(rule, asked, NOW).create == 0


@given(RULES, STANDINGS)
def test_no_host_that_is_needed_is_taken_away(rule, standing):
    found = scale(rule, evolve(standing, coming=0), NOW)
    if found.cause == "surplus":
        assert standing.there - found.retire >= needed(evolve(standing, coming=0))
        assert found.retire <= standing.there - standing.used
