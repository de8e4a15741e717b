"""What each host says to one more task: filters add up, and the closest host is named with its lack."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.container_instance import InstanceAttribute
from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.explanation.filters import funnel, lack, shown
from moorage.ecs.rules.placement.constraint import Obstacle, Wants, obstacle
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ground.record import evolve
from tests.ecs.rules.builders import NOW, a_task, an_instance, instance_arn

WANTS = Wants(
    needs=Resources(cpu=1024, memory=2048, ports=(80,)),
    group="service:web",
    attributes=(InstanceAttribute(name="disk", value="ssd"),),
    members=("attribute:ecs.availability-zone == a",),
    distinct=True,
)
SSD = {"disk": "ssd"}


def refused(found):
    return {one.name: one.refused for one in found.filters if one.refused}


def test_each_filter_says_how_many_came_to_it_and_how_many_it_refused():
    hosts = [
        an_instance("h1", status="DRAINING"),
        an_instance("h2", connected=False),
        an_instance("h3"),
        an_instance("h4", zone="b", attributes=SSD),
        an_instance("h5", attributes=SSD),
        an_instance("h6", attributes=SSD, cpu=512),
        an_instance("h7", attributes=SSD, cpu=900),
    ]
    found = funnel(WANTS, cluster_view(hosts, [a_task("t1", host="h5")]))
    assert refused(found) == {
        "takes tasks (is not draining)": 1,
        "within reach and sound: The agent is not connected": 1,
        "attribute disk": 1,
        "memberOf attribute:ecs.availability-zone == a": 1,
        "distinctInstance (service:web)": 1,
        "1024 CPU units": 2,
    }
    asked = {one.name: one.asked for one in found.filters}
    assert asked["takes tasks (is not draining)"] == 7
    assert asked["1024 CPU units"] == 2
    assert asked["2048 MiB of memory"] == 0
    assert (found.closest, found.lacks) == ("h7", "has too little CPU (1024 wanted, 900 left)")
    assert found.sentence == (
        "None of 7 hosts can take another task. h7 came closest: it has too little CPU (1024 "
        "wanted, 900 left)."
    )


def test_where_there_is_room_the_takers_are_named_and_nothing_is_lacking():
    hosts = [an_instance("h1", attributes=SSD), an_instance("h2", attributes=SSD, ports=(80,))]
    found = funnel(WANTS, cluster_view(hosts, []))
    assert found.takers == ("h1",)
    assert (found.closest, found.lacks) == ("", "")
    assert found.sentence == "1 host of 2 can take another task."
    assert refused(found) == {"ports 80/tcp": 1}


def test_a_cluster_without_hosts():
    found = funnel(WANTS, cluster_view([], []))
    assert found.sentence == "The cluster has no host at all."
    assert found.closest == ""


def test_hosts_that_are_avoided_are_asked_where_no_other_takes_the_task():
    wants = evolve(WANTS, avoided={instance_arn("h1"): "Five tasks failed there."})
    both = [an_instance("h1", attributes=SSD), an_instance("h2", attributes=SSD)]
    found = funnel(wants, cluster_view(both, []))
    assert found.takers == ("h2",)
    assert refused(found) == {"not avoided by the service, whose tasks failed there": 1}
    alone = [an_instance("h1", attributes=SSD), an_instance("h2")]
    assert funnel(wants, cluster_view(alone, [])).takers == ("h1",)
    small = [an_instance("h1", attributes=SSD, cpu=100), an_instance("h2")]
    found = funnel(wants, cluster_view(small, []))
    assert (found.closest, found.lacks) == ("h1", "has too little CPU (1024 wanted, 100 left)")


def test_of_capacity_providers_their_hosts_alone_are_asked():
    hosts = [
        an_instance("h1", attributes=SSD),
        an_instance("h2", attributes=SSD, cpu=1, capacity_provider="cp"),
    ]
    found = funnel(WANTS, cluster_view(hosts, []), ("cp",))
    assert found.sentence == (
        "None of 1 host of the capacity provider cp can take another task. h2 came closest: it has "
        "too little CPU (1024 wanted, 1 left)."
    )
    assert funnel(WANTS, cluster_view(hosts, []), ("no", "not")).sentence == (
        "There is no host of the capacity providers no, not at all."
    )


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("DRAINING", "is being drained"),
        ("AGENT", "is not fit to take tasks (D)"),
        ("ATTRIBUTE", "lacks the attribute D"),
        ("MemberOf placement constraint unsatisfied.", "does not satisfy the constraint D"),
        ("RESOURCE:PORTS", "has ports taken that the task needs (D)"),
    ],
)
def test_each_lack_has_its_words(reason, words):
    assert lack(Obstacle(reason=reason, detail="D")) == words


def test_a_few_names_are_shown():
    assert shown(["a", "b"]) == "a, b"
    assert shown(list("abcdefg")) == "a, b, c, d, e and 2 more"


HOSTS = st.lists(
    st.builds(
        lambda status, connected, zone, ssd, cpu, memory, lost: {
            "status": status,
            "connected": connected,
            "zone": zone,
            "attributes": SSD if ssd else {},
            "cpu": cpu,
            "memory": memory,
            "lost_at": NOW if lost else None,
        },
        st.sampled_from(["ACTIVE", "DRAINING"]),
        st.booleans(),
        st.sampled_from("ab"),
        st.booleans(),
        st.integers(0, 2048),
        st.integers(0, 4096),
        st.booleans(),
    ),
    max_size=8,
)


@given(HOSTS, st.lists(st.integers(0, 7), max_size=4))
def test_filters_add_up_to_the_hosts_and_agree_with_placement(hosts, held):
    instances = [an_instance(f"h{number}", **one) for number, one in enumerate(hosts)]
    tasks = [a_task(f"t{n}", host=f"h{host}") for n, host in enumerate(held)]
    view = cluster_view(instances, tasks)
    found = funnel(WANTS, view)
    assert sum(one.refused for one in found.filters) + len(found.takers) == len(instances)
    left = len(instances)
    for one in found.filters:
        assert one.asked == left
        left -= one.refused
    fits = sorted(
        load.instance.name for load in view.hosts.values() if obstacle(WANTS, load) is None
    )
    assert list(found.takers) == fits
    assert bool(found.closest) == (bool(instances) and not fits)
