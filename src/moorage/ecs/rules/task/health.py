"""Takes a health report (TCS PublishHealthRequest) of a task's containers in."""

from collections.abc import Mapping

from moorage.ecs.records.task import Health, Task
from moorage.ecs.rules.task.advance import Advanced


def observe_health(task: Task, containers: Mapping[str, Health]) -> Advanced:
    """The task with the health of its containers, by name; only containers with a check count."""
    raise NotImplementedError
