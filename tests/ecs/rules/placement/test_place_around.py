"""Placement around hosts that are avoided: they take just what no other host can take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.constraint import Obstacle, Wants, mismatch, obstacle, unavailable
from moorage.ecs.rules.placement.explain import sentence
from moorage.ecs.rules.placement.place import Batch, place, place_around
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ground.record import evolve
from moorage.shapes.ecs.placement import PlacementStrategy
from tests.ecs.rules.builders import an_instance, instance_arn

SMALL = Resources(cpu=1000, memory=100)
AVOIDED = {instance_arn("h1"): "it failed"}


def batch(count, **more) -> Batch:
    wants = Wants(**{"needs": SMALL, "group": "service:web", "avoided": AVOIDED, **more})
    return Batch(wants=wants, count=count)


def names(placements) -> list[str]:
    return [arn.rpartition("/")[2] for arn in placements.chosen]


@pytest.mark.parametrize(
    ("count", "chosen", "unplaced"),
    [
        (1, ["h2"], {}),
        (2, ["h2", "h2"], {}),
        (3, ["h2", "h2", "h1"], {}),
        (5, ["h2", "h2", "h1", "h1"], {"h1": "RESOURCE:CPU", "h2": "RESOURCE:CPU"}),
    ],
)
def test_avoided_hosts_take_what_no_other_can(count, chosen, unplaced):
    view = cluster_view([an_instance("h1", cpu=2000), an_instance("h2", cpu=2000)], [])
    placed = place_around(batch(count), view)
    assert names(placed) == chosen
    left = placed.unplaced
    assert {one.instance.rpartition("/")[2]: one.obstacle.reason for one in left.hindrances} == (
        unplaced
    )
    assert left.count == count - len(chosen)


def test_the_reasons_of_placement_show_that_a_host_is_avoided():
    host = cluster_view([an_instance("h1")], []).hosts[instance_arn("h1")]
    wants = batch(1).wants
    assert obstacle(wants, host) == Obstacle(reason="AVOIDED", detail="it failed")
    assert (mismatch(wants, host), unavailable(host)) == (None, None)
    unplaced = place(batch(1), cluster_view([an_instance("h1")], [])).unplaced
    assert sentence("web", unplaced).endswith(
        "(container-instance h1) is avoided because too many tasks of the service failed there."
    )


def test_a_lost_host_is_out_of_reach_first():
    host = cluster_view([an_instance("h1", connected=False)], []).hosts[instance_arn("h1")]
    found = obstacle(batch(1).wants, host)
    assert found is not None
    assert found.reason == "AGENT"
    assert unavailable(host) == found


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=5),
    st.sets(st.integers(0, 4)),
    st.integers(0, 12),
    st.booleans(),
)
def test_nothing_is_lost_and_nothing_over_promised_by_avoiding(rooms, shunned, count, is_random):
    hosts = [an_instance(f"h{number}", cpu=1000 * room) for number, room in enumerate(rooms)]
    view = cluster_view(hosts, [])
    asked = evolve(
        batch(count, avoided={instance_arn(f"h{number}"): "" for number in shunned}),
        strategies=(PlacementStrategy(type="random"),) if is_random else (),
        numbers=tuple(range(7, 7 + count)) if is_random else (),
    )
    placed = place_around(asked, view)
    assert len(placed.chosen) == min(count, sum(rooms))
    assert len(placed.chosen) + placed.unplaced.count == count
    per_host = {name: names(placed).count(name) for name in names(placed)}
    assert all(taken <= rooms[int(name[1:])] for name, taken in per_host.items())
    elsewhere = sum(room for number, room in enumerate(rooms) if number not in shunned)
    on_shunned = sum(taken for name, taken in per_host.items() if int(name[1:]) in shunned)
    assert on_shunned == max(0, len(placed.chosen) - elsewhere)
