"""Placement: a table of small clusters, and what is chosen of them."""

import pytest

from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.place import Batch, place, place_on
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ground.record import evolve
from moorage.shapes.ecs.placement import PlacementStrategy
from tests.ecs.rules.builders import NOW, a_task, an_instance, instance_arn

ZONE = PlacementStrategy(type="spread", field="attribute:ecs.availability-zone")
HOST = PlacementStrategy(type="spread", field="instanceId")
PACK_MEMORY = PlacementStrategy(type="binpack", field="memory")
PACK_CPU = PlacementStrategy(type="binpack", field="CPU")
RANDOM = PlacementStrategy(type="random")
SMALL = Resources(cpu=256, memory=512)


def wants(**more) -> Wants:
    return Wants(**{"needs": SMALL, "group": "service:web", **more})


def names(placements) -> list[str]:
    return [arn.rpartition("/")[2] for arn in placements.chosen]


def reasons(placements) -> dict[str, str]:
    return {
        one.instance.rpartition("/")[2]: one.obstacle.reason
        for one in placements.unplaced.hindrances
    }


@pytest.mark.parametrize(
    ("hosts", "count", "strategies", "expected"),
    [
        # The default: zones first, then the hosts with the fewest tasks of the service.
        ([("h1", "a"), ("h2", "a"), ("h3", "b")], 3, (), ["h1", "h3", "h2"]),
        ([("h1", "a"), ("h2", "b")], 4, (), ["h1", "h2", "h1", "h2"]),
        ([("h1", "a"), ("h2", "a"), ("h3", "b")], 3, (HOST,), ["h1", "h2", "h3"]),
        ([("h1", "a"), ("h2", "b")], 3, (PACK_MEMORY,), ["h1", "h1", "h1"]),
        ([("h1", "a"), ("h2", "a"), ("h3", "b")], 4, (ZONE, PACK_CPU), ["h1", "h3", "h1", "h3"]),
        # A spread after a binpack only breaks its ties.
        ([("h1", "a"), ("h2", "b")], 2, (PACK_MEMORY, ZONE), ["h1", "h1"]),
    ],
)
def test_hosts_are_drawn_as_the_strategies_prefer(hosts, count, strategies, expected):
    view = cluster_view([an_instance(name, zone=zone) for name, zone in hosts], [])
    batch = Batch(wants=wants(), count=count, strategies=strategies)
    assert names(place(batch, view)) == expected


def test_binpack_fills_the_fullest_host_that_still_fits():
    hosts = [an_instance("h1", memory=4000), an_instance("h2", memory=1100)]
    batch = Batch(wants=wants(), count=4, strategies=(PACK_MEMORY,))
    assert names(place(batch, cluster_view(hosts, []))) == ["h2", "h2", "h1", "h1"]


def test_random_follows_the_numbers_it_is_given():
    view = cluster_view([an_instance(f"h{n}") for n in range(4)], [])
    batch = Batch(wants=wants(), count=3, strategies=(RANDOM,), numbers=(1, 2, 7))
    chosen = names(place(batch, view))
    assert chosen == names(place(batch, view))
    assert chosen[0] == "h1"


def test_tasks_that_are_counted_balance_what_stays():
    """A rolling update counts the newest deployment, so that it is balanced when the old is gone."""
    hosts = [an_instance("h1"), an_instance("h2")]
    old = [a_task(f"t{n}", host="h1") for n in range(3)]
    view = cluster_view(hosts, old)
    batch = Batch(wants=wants(), count=2, counted={instance_arn("h2"): 1})
    assert names(place(batch, view)) == ["h1", "h1"] or names(place(batch, view))[0] == "h1"


def test_tasks_on_drained_hosts_do_not_count_for_balance():
    hosts = [
        an_instance("h1", zone="a", status="DRAINING"),
        an_instance("h2", zone="a"),
        an_instance("h3", zone="b"),
    ]
    tasks = [a_task("t1", host="h1"), a_task("t2", host="h1"), a_task("t3", host="h3")]
    batch = Batch(wants=wants(), count=1)
    assert names(place(batch, cluster_view(hosts, tasks))) == ["h2"]


@pytest.mark.parametrize(
    ("host", "asked", "reason"),
    [
        ({"status": "DRAINING"}, {}, "DRAINING"),
        ({"connected": False}, {}, "AGENT"),
        ({"lost_at": NOW}, {}, "AGENT"),
        ({"runtime_status": "IMPAIRED"}, {}, "AGENT"),
        ({"engine_gone_at": NOW}, {}, "AGENT"),
        ({"suspect": True}, {}, "AGENT"),
        ({"flapping_until": NOW}, {}, "AGENT"),
        ({}, {"attributes": (InstanceAttribute(name="gpu"),)}, "ATTRIBUTE"),
        (
            {"attributes": {"disk": "hdd"}},
            {"attributes": (InstanceAttribute(name="disk", value="ssd"),)},
            "ATTRIBUTE",
        ),
        (
            {},
            {"members": ("attribute:disk == ssd",)},
            "MemberOf placement constraint unsatisfied.",
        ),
        ({}, {"members": ("((",)}, "MemberOf placement constraint unsatisfied."),
        ({}, {"needs": Resources(gpus=1)}, "RESOURCE:GPU"),
        ({"cpu": 255}, {}, "RESOURCE:CPU"),
        ({"memory": 511}, {}, "RESOURCE:MEMORY"),
        ({}, {"needs": Resources(ports=(22,))}, "RESOURCE:PORTS"),
        ({"cpu": 0, "memory": 0}, {}, "RESOURCE:CPU"),
    ],
)
def test_a_host_that_cannot_says_why(host, asked, reason):
    placements = place(
        Batch(wants=wants(**asked), count=2), cluster_view([an_instance(**host)], [])
    )
    assert placements.chosen == ()
    assert placements.unplaced.count == 2
    assert reasons(placements) == {"h1": reason}


def test_a_fixed_port_is_taken_once_on_each_host_and_udp_is_counted_apart():
    hosts = [an_instance("h1"), an_instance("h2")]
    asked = wants(needs=Resources(cpu=1, memory=1, ports=(80,)))
    placements = place(Batch(wants=asked, count=3), cluster_view(hosts, []))
    assert sorted(names(placements)) == ["h1", "h2"]
    assert set(reasons(placements).values()) == {"RESOURCE:PORTS"}
    taken = a_task("t1", reserved=Resources(ports_udp=(80,)))
    assert len(place(Batch(wants=asked, count=1), cluster_view(hosts[:1], [taken])).chosen) == 1


def test_distinct_instances_hold_within_the_group():
    hosts = [an_instance("h1"), an_instance("h2"), an_instance("h3")]
    other = a_task("t1", host="h1", group="service:other")
    same = a_task("t2", host="h2")
    placements = place(
        Batch(wants=wants(distinct=True), count=3), cluster_view(hosts, [other, same])
    )
    assert sorted(names(placements)) == ["h1", "h3"]
    assert set(reasons(placements).values()) == {
        "DistinctInstance placement constraint unsatisfied."
    }


def test_stopped_tasks_hold_nothing_and_stopping_ones_hold_on():
    host = an_instance(cpu=256)
    stopped = a_task("t1", last_status="STOPPED", desired_status="STOPPED")
    stopping = a_task("t1", last_status="RUNNING", desired_status="STOPPED")
    batch = Batch(wants=wants(), count=1)
    assert place(batch, cluster_view([host], [stopped])).chosen
    assert not place(batch, cluster_view([host], [stopping])).chosen


def test_start_task_names_its_hosts_and_strategies_do_not_choose():
    view = cluster_view([an_instance("h1"), an_instance("h2", connected=False)], [])
    placements = place_on(
        wants(), (instance_arn("h2"), instance_arn("h1"), instance_arn("none")), view
    )
    assert names(placements) == ["h1"]
    assert reasons(placements) == {"h2": "AGENT"}


def test_a_changed_view_is_the_view_that_is_made_anew():
    hosts = [an_instance("h1"), an_instance("h2")]
    first = a_task("t1", reserved=Resources(cpu=5, memory=6, ports=(80,)))
    running_task = evolve(first, last_status="RUNNING")
    other = a_task("t2", host="h2", group="family:x")
    both = cluster_view(hosts, [running_task, other])
    assert both.without_task(other).hosts == cluster_view(hosts, [running_task]).hosts
    assert both.without_task(running_task).hosts == cluster_view(hosts, [other]).hosts
    assert both.without_task(a_task("t3", host="unknown")) is both
    promised = cluster_view(hosts, []).with_promises(SMALL, "service:web", [instance_arn("h1")])
    assert promised.hosts == cluster_view(hosts, [a_task("t9")]).hosts


def test_hosts_that_share_an_engine_take_no_task_in_the_hosts_network():
    """Three agents on one engine have one network: a port of one would be a port of all."""
    shared = evolve(
        an_instance("h1"), attributes=(InstanceAttribute(name="moorage.shared-engine"),)
    )
    view = cluster_view([shared, an_instance("h2")], [])
    placed = place(Batch(wants=wants(host_network=True), count=2), view)
    assert names(placed) == ["h2", "h2"]
    alone = place(Batch(wants=wants(host_network=True), count=1), cluster_view([shared], []))
    assert reasons(alone) == {"h1": "ATTRIBUTE"}
    assert names(place(Batch(wants=wants(), count=1), cluster_view([shared], []))) == ["h1"]
