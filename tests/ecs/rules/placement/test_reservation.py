"""Room that is kept for daemons: a table of where, and that it is no task."""

import pytest

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.constraint import Wants, obstacle
from moorage.ecs.rules.placement.eligible import eligible
from moorage.ecs.rules.placement.reservation import reserve
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ground.record import evolve
from tests.ecs.rules.builders import a_task, an_instance, instance_arn

LOGS = Wants(needs=Resources(cpu=300, memory=100, ports=(514,)), group="service:logs")
WEB = Wants(needs=Resources(cpu=800), group="service:web")


def seen(host, tasks=(), claims=(LOGS,)):
    return reserve(cluster_view([host], tasks), claims).hosts[instance_arn("h1")]


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ({}, True),
        ({"connected": False}, True),  # it will be there when the host is
        ({"status": "DRAINING"}, False),
        ({"zone": "b"}, False),
    ],
)
def test_it_is_kept_on_hosts_where_the_daemon_belongs(members, kept):
    only = Wants(
        needs=LOGS.needs,
        group=LOGS.group,
        members=("attribute:ecs.availability-zone == a",),
    )
    load = seen(an_instance("h1", cpu=1000, **members), claims=(only,))
    assert load.cpu == (700 if kept else 1000)
    assert (514 in load.ports) is kept


def test_it_is_not_kept_twice_nor_taken_for_a_task():
    host = an_instance("h1", cpu=1000)
    there = a_task("t1", group="service:logs", reserved=LOGS.needs)
    assert seen(host, [there]).cpu == 700
    load = seen(host)
    assert (load.groups, load.tasks) == ({}, 0)


def test_several_claims_add_up_and_refuse_by_name():
    meters = Wants(needs=Resources(cpu=500), group="service:meters")
    load = seen(an_instance("h1", cpu=1000), claims=(LOGS, meters))
    assert load.cpu == 200
    found = obstacle(WEB, load)
    assert found is not None
    assert (found.reason, found.detail) == (
        "RESOURCE:CPU",
        "800 wanted, 200 left beside what is kept for the daemon logs, meters",
    )


def test_a_host_that_is_full_already_owes_what_is_missing():
    busy = a_task("t1", group="service:web", reserved=Resources(cpu=900))
    load = seen(an_instance("h1", cpu=1000), [busy])
    assert load.cpu == -200
    small = Wants(needs=Resources(cpu=1), group="service:web")
    assert obstacle(small, load) is not None


@pytest.mark.parametrize(
    ("needs", "host"),
    [
        (Resources(cpu=1001), {}),
        (Resources(memory=8193), {}),
        (Resources(cpu=10, gpus=1), {}),
        (Resources(cpu=10, ports=(22,)), {"ports": (22,)}),
    ],
)
def test_nothing_is_kept_where_the_daemon_can_never_be(needs, host):
    never = Wants(needs=needs, group=LOGS.group)
    load = seen(an_instance("h1", cpu=1000, **host), claims=(never,))
    assert (load.cpu, load.kept_for) == (1000, ())


def test_a_gpu_that_is_kept_is_no_trouble_for_a_task_without():
    host = evolve(an_instance("h1"), resources=Resources(cpu=900, gpus=1, gpu_ids=("g",)))
    busy = a_task("t1", reserved=Resources(cpu=100, gpus=1, gpu_ids=("g",)))
    logs = Wants(needs=Resources(cpu=10, gpus=1), group=LOGS.group)
    load = seen(host, [busy], claims=(logs,))
    assert load.gpus == -1
    assert obstacle(evolve(WEB, needs=Resources(cpu=700)), load) is None


def test_where_every_host_has_its_daemon_the_view_and_its_orders_stay():
    there = a_task("t1", group="service:logs", reserved=LOGS.needs)
    view = cluster_view([an_instance("h1"), an_instance("h2", status="DRAINING")], [there])
    assert reserve(view, (LOGS,)) is view


def test_what_follows_from_the_hosts_alone_is_worked_out_once_for_both_views():
    view = cluster_view([an_instance("h1"), an_instance("h2")], [])
    found = eligible(WEB, view)
    assert eligible(WEB, reserve(view, (LOGS,))) is found
