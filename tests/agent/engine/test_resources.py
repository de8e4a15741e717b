"""What a host offers and has promised."""

import pytest

from moorage.acs.task_messages import PortMapping
from moorage.agent.engine.resources import Resources, offered, ports_leaving, promised
from moorage.agent.records.container import ContainerRecord, ContainerStatus
from moorage.agent.records.task import TaskRecord
from moorage.ground.record import evolve
from tests.agent.engine.builders import a_container, a_task
from tests.agent.engine.world import HOST, START

S = ContainerStatus
MAPPED = (PortMapping(container_port=80, host_port=8080), PortMapping(container_port=81))


def of(task, status=S.RUNNING, desired="RUNNING") -> TaskRecord:
    return TaskRecord(
        task=task,
        desired=desired,
        containers=tuple(ContainerRecord(name=c.name, status=status) for c in task.containers),
        received_at=START,
    )


def test_what_is_offered():
    host = evolve(
        HOST, cpu=2048, memory_mebibytes=900, reserved_ports=(22,), reserved_ports_udp=(53,)
    )
    ports = frozenset({("tcp", 22), ("udp", 53)})
    assert offered(host) == Resources(cpu=2048, memory_mebibytes=900, ports=ports)


@pytest.mark.parametrize(
    ("task", "cpu", "memory"),
    [
        (a_task(a_container(cpu=100, memory=64), a_container("b", cpu=28)), 128, 64),
        (a_task(a_container(cpu=100, memory=64), cpu=0.5, memory=512), 512, 512),
    ],
)
def test_what_is_promised(task, cpu, memory):
    found = promised([of(task)])
    assert (found.cpu, found.memory_mebibytes) == (cpu, memory)
    assert promised([of(task, S.STOPPED)]) == Resources()


def test_promised_ports_are_the_fixed_ones():
    assert promised([of(a_task(a_container(port_mappings=MAPPED)))]).ports == {("tcp", 8080)}
    in_host = a_task(a_container(port_mappings=MAPPED), network_mode="host")
    assert promised([of(in_host)]).ports == {("tcp", 80), ("tcp", 81)}


@pytest.mark.parametrize(
    ("status", "desired", "leaving"),
    [
        (S.RUNNING, "STOPPED", True),
        (S.STOPPING, "STOPPED", True),
        (S.RUNNING, "RUNNING", False),
        (S.STOPPED, "STOPPED", False),
        (S.CREATED, "STOPPED", False),
    ],
)
def test_a_port_that_is_being_left(status, desired, leaving):
    container = a_container(port_mappings=MAPPED)
    mine = of(a_task(container, number=2))
    other = of(a_task(container), status, desired)
    assert bool(ports_leaving(mine, container, [mine, other])) is leaving
    assert not ports_leaving(mine, a_container(), [other])
