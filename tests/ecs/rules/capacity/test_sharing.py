"""Batches are placed provider by provider, and no provider helps another out."""

from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.capacity.sharing import share
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.place import Batch
from moorage.ecs.rules.placement.view import cluster_view
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem
from tests.ecs.rules.builders import an_instance, instance_arn

WANTS = Wants(needs=Resources(cpu=1024), group="family:web")
BOTH = [
    CapacityProviderStrategyItem(capacity_provider=name, weight=weight)
    for name, weight in (("one", 1), ("two", 2))
]


def view(one=0, two=0, none=0):
    """So many hosts of each provider, each with room for two tasks."""
    counts = {"one": one, "two": two, "": none}
    return cluster_view(
        [
            an_instance(f"{name or 'none'}-{number}", cpu=2048, capacity_provider=name)
            for name, count in counts.items()
            for number in range(count)
        ],
        [],
    )


def test_hosts_of_others_are_not_touched():
    shared = share(Batch(wants=WANTS, count=4), BOTH, {}, view(one=1, none=5))
    assert shared.placed.chosen == (instance_arn("one-0"),)
    assert shared.wanting == {"two": 3}
    assert shared.placed.unplaced.count == 3


def test_the_hosts_come_in_the_order_of_the_shares():
    shared = share(Batch(wants=WANTS, count=3), BOTH, {}, view(one=2, two=2))
    assert shared.order == ("two", "one", "two")
    assert [arn.rpartition("/")[2].split("-")[0] for arn in shared.placed.chosen] == [
        "two",
        "one",
        "two",
    ]
    assert shared.wanting == {}


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 12))
def test_what_is_placed_and_what_is_wanting_add_up(one, two, count):
    shared = share(Batch(wants=WANTS, count=count), BOTH, {}, view(one=one, two=two))
    placed = shared.placed
    assert len(placed.chosen) + placed.unplaced.count == count
    assert sum(shared.wanting.values()) == placed.unplaced.count
    for name, hosts in (("one", one), ("two", two)):
        mine = [arn for arn in placed.chosen if f"/{name}-" in arn]
        assert len(mine) == min(2 * hosts, shared.order.count(name))
