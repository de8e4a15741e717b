"""What a host has, and what a task takes of it."""

from moorage.ground.record import Record


class Resources(Record):
    """CPU units (1024 are one core), memory in MiB, and host ports, TCP and UDP apart.

    Of a host, `ports` are those it reserved for itself; of a task, the fixed ports it wants (and,
    once it runs, the dynamic ones it was given). `gpus` are counted, `gpu_ids` name them: of a host
    all it has, of a task those it was given, and none where it only asks. `all_gpus`: it asks for
    every GPU that is free on its host, `gpus` being the fewest that do.
    """

    cpu: int = 0
    memory: int = 0
    ports: tuple[int, ...] = ()
    ports_udp: tuple[int, ...] = ()
    gpus: int = 0
    gpu_ids: tuple[str, ...] = ()
    all_gpus: bool = False
