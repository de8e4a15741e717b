"""What a host has, and what a task takes of it."""

from moorage.ground.record import Record


class Resources(Record):
    """CPU units (1024 are one core), memory in MiB, and host ports, TCP and UDP apart.

    Of a host, `ports` are those it reserved for itself; of a task, the fixed ports it wants (and,
    once it runs, the dynamic ones it was given).
    """

    cpu: int = 0
    memory: int = 0
    ports: tuple[int, ...] = ()
    ports_udp: tuple[int, ...] = ()
    gpus: int = 0
