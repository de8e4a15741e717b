"""What this host has, and what it has promised to tasks: CPU, MEMORY and PORTS.

The control plane's scheduler does the accounting and never promises more than there is. What is
decided here is only what it cannot see: a fixed port that a task is about to leave is waited for,
instead of failing the task that comes after it.
"""

from collections.abc import Iterable

from moorage.acs.task_messages import Container
from moorage.agent.engine.specification import host_network
from moorage.agent.engine.transitions import ENDED, S
from moorage.agent.records.host import Host
from moorage.agent.records.task import TaskRecord
from moorage.ground.record import Record

CPU_UNITS_PER_CPU = 1024
_NOT_HOLDING = ENDED | {S.WAITING, S.PULLING, S.PULLED, S.CREATING, S.CREATED}

Port = tuple[str, int]


class Resources(Record):
    """CPU in units of 1024 a core, memory in MiB, ports of the host as (protocol, number)."""

    cpu: int = 0
    memory_mebibytes: int = 0
    ports: frozenset[Port] = frozenset()


def offered(host: Host) -> Resources:
    """What the host registers with: all it has, and the ports that no task may have."""
    return Resources(
        cpu=host.cpu,
        memory_mebibytes=host.memory_mebibytes,
        ports=frozenset(
            [("tcp", port) for port in host.reserved_ports]
            + [("udp", port) for port in host.reserved_ports_udp]
        ),
    )


def promised(tasks: Iterable[TaskRecord]) -> Resources:
    """What the tasks that have not stopped hold: their own figures, else their containers' sum."""
    cpu, memory, ports = 0, 0, frozenset[Port]()
    for task in tasks:
        if all(record.status in ENDED for record in task.containers):
            continue
        containers = task.task.containers or ()
        cpu += (
            round(task.task.cpu * CPU_UNITS_PER_CPU)
            if task.task.cpu
            else sum(container.cpu or 0 for container in containers)
        )
        memory += task.task.memory or sum(container.memory or 0 for container in containers)
        for container in containers:
            ports |= fixed_ports(task, container)
    return Resources(cpu=cpu, memory_mebibytes=memory, ports=ports)


def fixed_ports(task: TaskRecord, container: Container) -> frozenset[Port]:
    """The ports of the host that the container names."""
    in_host = bool(container.port_mappings) and host_network(task.task, container)
    found = [
        (mapping.protocol or "tcp", mapping.container_port if in_host else mapping.host_port)
        for mapping in container.port_mappings or ()
    ]
    return frozenset((protocol, port) for protocol, port in found if port)


def ports_leaving(
    task: TaskRecord, container: Container, others: Iterable[TaskRecord]
) -> frozenset[Port]:
    """The ports that `container` names and that another task, which is stopping, still holds."""
    wanted = fixed_ports(task, container)
    if not wanted:
        return frozenset()
    leaving: frozenset[Port] = frozenset()
    for other in others:
        if other.arn == task.arn or other.desired != "STOPPED":
            continue
        definitions = {c.name: c for c in other.task.containers or ()}
        for record in other.containers:
            if record.status not in _NOT_HOLDING:
                leaving |= fixed_ports(other, definitions[record.name])
    return wanted & leaving
