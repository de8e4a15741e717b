"""Host ports: which a task wants for sure, and which of them a host cannot give."""

from collections.abc import Iterable, Sequence

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.placement.view import HostLoad
from moorage.shapes.ecs.container_definition import ContainerDefinition, PortMapping

PORT_MAX = 65_535
# What an agent publishes of one range.
RANGE_LENGTH_MAX = 100


def port_range(text: str) -> range | None:
    """The ports of `first-last`, or None where the text is no such range."""
    first, _, last = text.partition("-")
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        return None
    low, high = int(first[:6]), int(last[:6])
    return range(low, high + 1) if 1 <= low <= high <= PORT_MAX else None


def fixed_ports(
    containers: Iterable[ContainerDefinition], network_mode: str | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The host ports that a task takes whatever happens: (TCP, UDP), sorted.

    In mode host each container port is a port of the host; in mode bridge only a mapping with a
    hostPort is fixed, the rest is chosen by the host; in the other modes none is taken.
    """
    wanted: dict[str, set[int]] = {"tcp": set(), "udp": set()}
    for container in containers:
        for mapping in container.port_mappings or ():
            wanted[mapping.protocol or "tcp"].update(_fixed(mapping, network_mode or "bridge"))
    return tuple(sorted(wanted["tcp"])), tuple(sorted(wanted["udp"]))


def clash(needs: Resources, host: HostLoad) -> str:
    """The wanted ports that are taken or reserved on a host, as `80/tcp, 53/udp`; "" if none."""
    return ", ".join(
        [f"{port}/tcp" for port in _taken(needs.ports, host.ports)]
        + [f"{port}/udp" for port in _taken(needs.ports_udp, host.ports_udp)]
    )


def _taken(wanted: Sequence[int], taken: frozenset[int]) -> list[int]:
    return [port for port in wanted if port in taken]


def _fixed(mapping: PortMapping, network_mode: str) -> Iterable[int]:
    if network_mode == "bridge":
        return [mapping.host_port] if mapping.host_port else []
    if network_mode != "host":
        return []
    if mapping.container_port_range:
        return port_range(mapping.container_port_range) or []
    port = mapping.host_port or mapping.container_port
    return [port] if port else []
