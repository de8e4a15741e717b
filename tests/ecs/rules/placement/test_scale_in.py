"""Which tasks stop when a service shrinks."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.scale_in import choose_stops
from moorage.ecs.rules.placement.view import cluster_view
from moorage.shapes.ecs.placement import PlacementStrategy
from tests.ecs.rules.builders import NOW, a_task, an_instance

PACK = (PlacementStrategy(type="binpack", field="memory"),)
RANDOM = (PlacementStrategy(type="random"),)
RACKS = (PlacementStrategy(type="spread", field="attribute:rack"),)


def alike(task) -> int:
    return 1


def stops(tasks, count, strategies=(), view=None, rank=alike) -> list[str]:
    return [one.id for one in choose_stops(tasks, count, rank, strategies, view)]


def test_the_fullest_zone_gives_first_and_in_it_the_host_with_most_tasks():
    tasks = [
        a_task("t1", host="h1", zone="a"),
        a_task("t2", host="h1", zone="a"),
        a_task("t3", host="h2", zone="a"),
        a_task("t4", host="h3", zone="b"),
    ]
    assert stops(tasks, 1) == ["t2"]
    assert set(stops(tasks, 2)) == {"t2", "t3"}


def test_worse_tasks_go_before_any_balance():
    tasks = [a_task("t1", zone="a"), a_task("t2", zone="a"), a_task("t3", host="h2", zone="b")]
    assert stops(tasks, 1, rank=lambda task: 0 if task.id == "t3" else 1) == ["t3"]


def test_binpack_empties_the_host_that_has_most_left():
    hosts = [an_instance("h1", memory=2048), an_instance("h2", memory=8192)]
    tasks = [
        a_task("t1", host="h1", reserved=Resources(memory=512)),
        a_task("t2", host="h2", reserved=Resources(memory=512)),
        a_task("t3", host="h2", reserved=Resources(memory=512)),
    ]
    assert set(stops(tasks, 2, PACK, cluster_view(hosts, tasks))) == {"t2", "t3"}
    assert len(stops(tasks, 2, PACK)) == 2, "without a view, too"


def test_binpack_counts_what_is_left_once_the_task_is_gone():
    """h1 has less left than h2 now, but would have more without its large task."""
    hosts = [an_instance("h1", memory=4096), an_instance("h2", memory=4096)]
    tasks = [
        a_task("t1", host="h1", reserved=Resources(memory=2048)),
        a_task("t2", host="h2", reserved=Resources(memory=512)),
        a_task("x1", host="h2", reserved=Resources(memory=1024), group="family:x"),
    ]
    view = cluster_view(hosts, tasks)
    assert view.hosts[tasks[0].instance].memory < view.hosts[tasks[1].instance].memory
    assert stops(tasks[:2], 1, PACK, view) == ["t1"]


def test_zones_first_and_within_them_binpack():
    hosts = [
        an_instance("a1", zone="a", memory=2048),
        an_instance("a2", zone="a", memory=8192),
        an_instance("b1", zone="b", memory=8192),
    ]
    tasks = [
        a_task("t1", host="a1", zone="a"),
        a_task("t2", host="a2", zone="a"),
        a_task("t3", host="b1", zone="b"),
    ]
    zones = PlacementStrategy(type="spread", field="attribute:ecs.availability-zone")
    assert stops(tasks, 1, (zones, *PACK), cluster_view(hosts, tasks)) == ["t2"]


def test_of_equals_the_newest_goes():
    tasks = [a_task(f"t{n}", created_at=NOW + n, host="h1") for n in (2, 0, 1)]
    assert stops(tasks, 2) == ["t2", "t1"]


def test_a_spread_over_any_attribute_stays_balanced():
    hosts = [
        an_instance("h1", attributes={"rack": "r1"}),
        an_instance("h2", attributes={"rack": "r2"}),
    ]
    tasks = [a_task("t1", host="h1"), a_task("t2", host="h2"), a_task("t3", host="h2")]
    assert stops(tasks, 1, RACKS, cluster_view(hosts, tasks)) == ["t3"]


@pytest.mark.parametrize("count", [0, -3])
def test_nothing_to_stop(count):
    assert stops([a_task()], count) == []


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=15),
    st.integers(0, 15),
)
def test_what_stays_is_as_balanced_as_it_can_be(places, count):
    tasks = [
        a_task(f"t{n}", zone=zone, host=f"{zone}{host}") for n, (zone, host) in enumerate(places)
    ]
    chosen = stops(tasks, count)
    assert len(chosen) == min(count, len(tasks)) == len(set(chosen))
    before = Counter(task.zone for task in tasks)
    after = Counter(task.zone for task in tasks if task.id not in chosen)
    given_up = [zone for zone in before if before[zone] > after[zone]]
    assert all(after[zone] + 1 >= max(after.values(), default=0) for zone in given_up)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=15),
    st.integers(0, 15),
)
def test_what_must_stay_counts_for_the_balance(places, count):
    """Zones give up tasks only while no other zone has two more, of which one could go."""
    tasks = [a_task(f"t{n}", zone=zone, host=f"{zone}{n}") for n, (zone, _) in enumerate(places)]
    kept = {f"t{n}" for n, (_, held) in enumerate(places) if held}
    count = min(count, len(tasks) - len(kept))
    chosen = stops(tasks, count, rank=lambda task: 9 if task.id in kept else 1)
    assert not kept.intersection(chosen)
    after = Counter(task.zone for task in tasks if task.id not in chosen)
    gave = {task.zone for task in tasks if task.id in chosen}
    could = {task.zone for task in tasks if task.id not in chosen and task.id not in kept}
    assert all(after[zone] + 1 >= after[other] for zone in gave for other in could)


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(0, 12))
def test_the_worst_always_go_first(ranks, count):
    tasks = [a_task(f"t{n}", host=f"h{n % 3}") for n in range(len(ranks))]
    by_id = {task.id: rank for task, rank in zip(tasks, ranks, strict=True)}
    chosen = stops(tasks, count, RANDOM, rank=lambda task: by_id[task.id])
    kept = [by_id[task.id] for task in tasks if task.id not in chosen]
    assert max((by_id[one] for one in chosen), default=0) <= min(kept, default=3)
