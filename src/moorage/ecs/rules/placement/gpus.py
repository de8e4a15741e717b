"""GPUs: how many a container asks for, which of a host's are free, and who gets which.

A host names its GPUs when it registers; each belongs to one container of one task from the moment
at which the task is placed until it is STOPPED. ECS, ResourceRequirement: the number "of physical
GPUs the Amazon ECS container agent reserves for the container", or ALL "to allocate all available
GPUs on the instance to the container".
"""

from collections.abc import Iterable, Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Task, TaskContainer
from moorage.ground.record import evolve
from moorage.shapes.ecs.container_definition import ContainerDefinition

ALL = "ALL"


def gpu_wish(container: ContainerDefinition) -> str:
    """How many GPUs a container asks for: digits, ALL, or "" for none.

    GPUs that are shared (`sharingStrategy`) are not asked for here: no host offers them.
    """
    asked = [
        one.value or "0"
        for one in container.resource_requirements or ()
        if one.type == "GPU" and one.sharing_strategy is None
    ]
    if ALL in asked:
        return ALL
    count = sum(int(one) for one in asked if one.isdecimal())
    return str(count) if count else ""


def fewest(wishes: Iterable[str]) -> int:
    """With how many GPUs these wishes can be granted; ALL is content with one."""
    return sum(1 if wish == ALL else int(wish or 0) for wish in wishes)


def free_gpus(instance: ContainerInstance, tasks: Iterable[Task]) -> tuple[str, ...]:
    """The GPUs of a host that none of its `tasks` holds, in the order in which it named them."""
    held = {gpu for task in tasks if not task.is_stopped for gpu in task.reserved.gpu_ids}
    return tuple(gpu for gpu in instance.resources.gpu_ids if gpu not in held)


def with_gpus(task: Task, free: Sequence[str]) -> Task:
    """The task with GPUs of its host, as its containers ask for them.

    What is free suffices: the task was placed by that. The first container that asks for ALL gets
    what the others leave, any further one a single GPU.
    """
    wishes = [one.gpu_wish for one in task.containers]
    spare = len(free) - fewest(wishes)
    assert spare >= 0, f"{task.arn} was placed on a host that has too few GPUs"
    left = list(free)
    containers: list[TaskContainer] = []
    for container in task.containers:
        count = fewest([container.gpu_wish])
        if container.gpu_wish == ALL:
            count, spare = count + spare, 0
        given, left = left[:count], left[count:]
        containers.append(evolve(container, gpu_ids=tuple(given)) if given else container)
    taken = tuple(gpu for one in containers for gpu in one.gpu_ids)
    return evolve(
        task,
        containers=tuple(containers),
        reserved=evolve(task.reserved, gpus=len(taken), gpu_ids=taken, all_gpus=False),
    )
