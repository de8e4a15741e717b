"""CPU and memory of a task as people write them: `1024`, `1 vCPU`, `.5 vcpu`, `2048`, `2 GB`."""


def cpu_units(text: str) -> int | None:
    """CPU units (1024 are one vCPU), or None where the text is no amount of CPU."""
    raise NotImplementedError


def memory_mebibytes(text: str) -> int | None:
    """MiB, or None where the text is no amount of memory; `GB` counts 1024 MiB, as in ECS."""
    raise NotImplementedError
