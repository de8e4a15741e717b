"""Strategies: which are refused, and how tasks are shared out by base and weight."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.rules.capacity.strategy import refuse_strategy, shares
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem


def item(name, weight=None, base=None):
    return CapacityProviderStrategyItem(capacity_provider=name, weight=weight, base=base)


@pytest.mark.parametrize(
    ("strategy", "code", "said"),
    [
        ([item("FARGATE", 1)], "UnsupportedFeatureException", "FARGATE is not supported"),
        ([item("FARGATE_SPOT", 1)], "UnsupportedFeatureException", "pool of hosts"),
        ([item("c", 1)], "InvalidParameterException", "not associated with the cluster"),
        ([item("a", 1), item("a", 2)], "InvalidParameterException", "duplicate"),
        ([item("a", 1, 1), item("b", 1, 1)], "InvalidParameterException", "base defined"),
        ([item("a"), item("b", 0)], "InvalidParameterException", "weight greater than zero"),
        ([item(f"p{n}", 1) for n in range(21)], "InvalidParameterException", "at most 20"),
    ],
)
def test_a_strategy_is_refused(strategy, code, said):
    refusal = refuse_strategy(strategy, {"a", "b"})
    assert refusal is not None
    assert refusal.code == code
    assert said in refusal.message


@pytest.mark.parametrize(
    "strategy",
    [[], [item("a")], [item("a", 1), item("b", 4, 2)], [item("a", 0, 3), item("b", 1)]],
)
def test_a_strategy_is_taken(strategy):
    assert refuse_strategy(strategy, {"a", "b"}) is None


@pytest.mark.parametrize(
    ("strategy", "counted", "count", "expected"),
    [
        ([item("a")], {}, 3, "aaa"),
        ([item("a", 1), item("b", 1)], {}, 4, "abab"),
        ([item("a", 1), item("b", 4)], {}, 5, "bbbab"),
        ([item("a", 1, 2), item("b", 1)], {}, 4, "aaab"),
        ([item("a", 1, 2), item("b", 1)], {"a": 2}, 2, "ab"),
        ([item("a", 0, 2), item("b", 1)], {}, 4, "aabb"),
        ([item("a", 1), item("b", 1)], {"a": 3}, 3, "bbb"),
        ([item("a", 1), item("b", 1)], {"gone": 9}, 2, "ab"),
    ],
)
def test_tasks_are_shared_out(strategy, counted, count, expected):
    assert "".join(shares(strategy, counted, count)) == expected


@given(
    st.lists(st.integers(1, 20), min_size=2, max_size=5),
    st.integers(0, 10),
    st.integers(0, 300),
)
def test_the_base_comes_first_and_the_rest_is_as_the_weights_are(weights, base, count):
    strategy = [item(str(n), weight, base if n == 0 else None) for n, weight in enumerate(weights)]
    found = Counter(shares(strategy, {}, count))
    assert sum(found.values()) == count
    assert found["0"] >= min(base, count)
    rest = max(0, count - base)
    for number, weight in enumerate(weights):
        beyond = found[str(number)] - (min(base, count) if number == 0 else 0)
        assert abs(beyond - rest * weight / sum(weights)) < len(weights)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=5).filter(any), st.integers(0, 60))
def test_all_at_once_is_as_one_by_one(weights, count):
    strategy = [item(str(n), weight) for n, weight in enumerate(weights)]
    have: Counter[str] = Counter()
    for _ in range(count):
        have.update(shares(strategy, have, 1))
    assert have == Counter(shares(strategy, {}, count))
