"""Takes a health report (TCS PublishHealthRequest) of a task's containers in."""

from collections.abc import Mapping

from moorage.ecs.records.task import Health, Task
from moorage.ecs.rules.task.advance import Advanced
from moorage.ground.record import evolve


def observe_health(task: Task, containers: Mapping[str, Health]) -> Advanced:
    """The task with the health of its containers, by name; only containers with a check count."""
    if task.is_stopped:
        return Advanced(task=task, changed=False, ignored="The task is STOPPED.")
    after = evolve(
        task,
        containers=tuple(
            evolve(one, health=containers.get(one.name, one.health))
            if one.has_health_check and one.last_status != "STOPPED"
            else one
            for one in task.containers
        ),
    )
    if after == task:
        return Advanced(task=task, changed=False, ignored="The report says nothing new.")
    return Advanced(task=after, changed=True)
