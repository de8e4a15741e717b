"""CPU and memory of a task as people write them: `1024`, `1 vCPU`, `.5 vcpu`, `2048`, `2 GB`."""

import re
from decimal import Decimal

UNITS_PER_VCPU = 1024
MEBIBYTES_PER_GIGABYTE = 1024
_CPU = re.compile(r"([0-9]{0,9}(?:\.[0-9]{1,3})?)\s*(vcpu)?", re.ASCII | re.IGNORECASE)
_MEMORY = re.compile(r"([0-9]{0,9}(?:\.[0-9]{1,3})?)\s*(gb)?", re.ASCII | re.IGNORECASE)


def cpu_units(text: str) -> int | None:
    """CPU units (1024 are one vCPU), or None where the text is no amount of CPU."""
    return _amount(_CPU.fullmatch(text.strip()), UNITS_PER_VCPU)


def memory_mebibytes(text: str) -> int | None:
    """MiB, or None where the text is no amount of memory; `GB` counts 1024 MiB, as in ECS."""
    return _amount(_MEMORY.fullmatch(text.strip()), MEBIBYTES_PER_GIGABYTE)


def _amount(match: re.Match[str] | None, factor: int) -> int | None:
    if match is None or not match[1]:
        return None
    amount = Decimal(match[1]) * (factor if match[2] else 1)
    return int(amount) if amount == int(amount) else None
