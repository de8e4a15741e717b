"""What a task takes of its host."""

from moorage.ecs.records.resources import Resources
from moorage.ecs.rules.definition.overrides import overridden
from moorage.ecs.rules.definition.sizes import cpu_units, memory_mebibytes
from moorage.ecs.rules.placement.gpus import ALL, fewest, gpu_wish
from moorage.ecs.rules.placement.ports import fixed_ports
from moorage.shapes.ecs.container_definition import ContainerDefinition
from moorage.shapes.ecs.task import TaskOverride
from moorage.shapes.ecs.task_definition import TaskDefinition


def needs(definition: TaskDefinition, overrides: TaskOverride | None = None) -> Resources:
    """CPU, memory, fixed host ports and GPUs of one task; `definition` is in normal form.

    Task-level CPU and memory where set, else the sum over the containers, the soft limit
    (memoryReservation) before the hard one. In network mode host a container's port is the
    host's, fixed.
    """
    asked = overridden(definition, overrides)
    containers = asked.container_definitions or []
    cpu = cpu_units(asked.cpu) if asked.cpu else None
    memory = memory_mebibytes(asked.memory) if asked.memory else None
    ports, ports_udp = fixed_ports(containers, asked.network_mode)
    wishes = [gpu_wish(one) for one in containers]
    return Resources(
        cpu=sum(one.cpu or 0 for one in containers) if cpu is None else cpu,
        memory=sum(map(_memory, containers)) if memory is None else memory,
        ports=ports,
        ports_udp=ports_udp,
        gpus=fewest(wishes),
        all_gpus=ALL in wishes,
    )


def _memory(container: ContainerDefinition) -> int:
    return container.memory_reservation or container.memory or 0
