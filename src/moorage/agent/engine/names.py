"""The names a task gives to things on its host; all derived from its id, so that none is stored.

A repeated creation therefore meets its twin. Docker allows `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
"""

import re

from moorage.acs.task_messages import Task

TASK_ID_LENGTH_SHOWN = 12
NAME_PART_LENGTH_MAX = 60
_FOREIGN = re.compile(r"[^A-Za-z0-9_.-]", re.ASCII)


def task_id(arn: str) -> str:
    """The id at the end of a task's ARN."""
    return arn.rsplit("/", 1)[-1]


def _part(text: str) -> str:
    return _FOREIGN.sub("", text)[:NAME_PART_LENGTH_MAX]


def docker_name(task: Task, thing: str) -> str:
    """`ecs-FAMILY-REVISION-THING-TASKID12`: the Docker name of a container or volume of a task."""
    parts = (
        "ecs",
        task.family or "task",
        task.version or "0",
        thing,
        task_id(task.arn)[:TASK_ID_LENGTH_SHOWN],
    )
    return "-".join(_part(part) for part in parts)


def cgroup_name(root: str, task: Task) -> str:
    """The path of a task's cgroup below the cgroup file system."""
    return f"{root.rstrip('/')}/{_part(task_id(task.arn))}"


def region(arn: str) -> str | None:
    """The region that an ARN names, if it does."""
    parts = arn.split(":", 4)
    return parts[3] or None if len(parts) > 4 else None  # noqa: PLR2004 - arn:aws:ecs:REGION:rest
