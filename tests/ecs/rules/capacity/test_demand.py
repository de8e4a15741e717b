"""How many hosts more: packed by shape, what fits already left out, what never fits ignored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.capacity.demand import Waiting, fitting, more_hosts
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.place import Batch, place
from moorage.ecs.rules.placement.view import cluster_view
from tests.ecs.rules.builders import an_instance

HOST = Resources(cpu=1024, memory=2048, ports=(22,), gpus=2)


def wants(cpu=0, memory=0, **more):
    distinct = more.pop("distinct", False)
    return Wants(
        needs=Resources(cpu=cpu, memory=memory, **more), group="family:web", distinct=distinct
    )


def view(*sizes):
    return cluster_view(
        [an_instance(f"h{n}", cpu=cpu, memory=memory) for n, (cpu, memory) in enumerate(sizes)], []
    )


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        (wants(256, 512), 4),
        (wants(256, 1024), 2),
        (wants(1025), 0),
        (wants(memory=2049), 0),
        (wants(gpus=1), 2),
        (wants(gpus=3), 0),
        (wants(ports=(80,)), 1),
        (wants(ports_udp=(53,)), 1),
        (wants(ports=(22,)), 0),
        (wants(16, distinct=True), 1),
        (wants(), 1000),
    ],
)
def test_an_empty_host_takes_so_many(asked, fits):
    assert fitting(asked, HOST) == fits


@pytest.mark.parametrize(
    ("waiting", "hosts", "size", "more"),
    [
        ([], [], None, 0),
        ([(wants(256), 1)], [], None, None),
        ([(wants(256), 4)], [], HOST, 1),
        ([(wants(256), 5)], [], HOST, 2),
        ([(wants(256), 5), (wants(1024), 3)], [], HOST, 3),
        ([(wants(256), 5)], [(512, 2048)], HOST, 1),
        ([(wants(256), 2)], [(512, 2048)], HOST, 0),
        ([(wants(256), 2), (wants(512), 1)], [(512, 2048)], HOST, 1),
        ([(wants(2048), 3)], [], HOST, 0),
        ([(wants(16, distinct=True), 3)], [(512, 2048)], HOST, 2),
    ],
)
def test_so_many_hosts_more_are_needed(waiting, hosts, size, more):
    found = [Waiting(wants=asked, count=count) for asked, count in waiting]
    assert more_hosts(found, view(*hosts), size) == more


@given(st.integers(1, 1024), st.integers(1, 2048), st.integers(1, 60))
def test_with_so_many_more_one_kind_finds_room_and_with_one_fewer_not(cpu, memory, count):
    asked = wants(cpu, memory)
    more = more_hosts([Waiting(wants=asked, count=count)], view(), HOST)
    assert more
    batch = Batch(wants=asked, count=count)
    assert place(batch, view(*[(1024, 2048)] * more)).unplaced.count == 0
    assert place(batch, view(*[(1024, 2048)] * (more - 1))).unplaced.count > 0
