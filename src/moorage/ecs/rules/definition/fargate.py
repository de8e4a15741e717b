"""Which sizes Fargate has: a definition may ask for FARGATE, though no host of ours is one."""

from moorage.ecs.rules.definition.sizes import cpu_units, memory_mebibytes
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest

# AWS: "Task CPU and memory" of Fargate: CPU units to the MiB that go with them.
_GRID: dict[int, range] = {
    256: range(512, 2048 + 1, 512),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16_384 + 1, 1024),
    4096: range(8192, 30_720 + 1, 1024),
    8192: range(16_384, 61_440 + 1, 4096),
    16_384: range(32_768, 122_880 + 1, 8192),
}
_NOT_IN_GRID = {(256, 1536)}


def fits_fargate(cpu: str | None, memory: str | None) -> bool:
    """Whether Fargate has a size of this CPU and memory."""
    units = cpu_units(cpu) if cpu else None
    mebibytes = memory_mebibytes(memory) if memory else None
    if units is None or mebibytes is None:
        return False
    return mebibytes in _GRID.get(units, ()) and (units, mebibytes) not in _NOT_IN_GRID


def wrong_for_fargate(request: RegisterTaskDefinitionRequest) -> str:
    """What is wrong with a definition that asks for FARGATE, or ""."""
    if "FARGATE" not in (request.requires_compatibilities or ()):
        return ""
    if request.network_mode != "awsvpc":
        return "Networking mode for Fargate tasks must be awsvpc."
    if not request.cpu:
        return "Fargate requires that 'cpu' be defined at the task level."
    if not request.memory:
        return "Fargate requires that 'memory' be defined at the task level."
    if not fits_fargate(request.cpu, request.memory):
        return "No Fargate configuration exists for given values."
    return ""
