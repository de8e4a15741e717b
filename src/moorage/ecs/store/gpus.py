"""Gives a task that was just placed GPUs of its host, in the transaction that places it."""

from moorage.ecs.records.task import Task
from moorage.ecs.rules.placement.gpus import free_gpus, with_gpus
from moorage.ecs.store import container_instances, tasks
from moorage.sql.transaction import Transaction


def given(tx: Transaction, task: Task) -> Task:
    """The task with the GPUs that it asks for; as it is where it asks for none, or has them.

    Whoever writes a task on a host, new or after it has waited, calls this before.
    """
    if not task.instance or not task.reserved.gpus or task.reserved.gpu_ids:
        return task
    instance = container_instances.get(tx, task.instance)
    assert instance is not None, f"{task.arn} was placed on no host"
    others = [one for one in tasks.live_of_instance(tx, task.instance) if one.arn != task.arn]
    return with_gpus(task, free_gpus(instance, others))
