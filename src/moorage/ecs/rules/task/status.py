"""The one table of the moves of a task's lastStatus, and who may make them.

A status only moves forward. The host's reports move it (ARCHITECTURE 1.5); the scheduler itself
may only end a task: one that its host was never told of, or whose host was deregistered.
"""

from typing import Literal

from moorage.ecs.records.task import TaskStatus
from moorage.ground.machine import Transitions

Mover = Literal["host", "scheduler"]

ORDER: tuple[TaskStatus, ...] = (
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
)
RANK: dict[str, int] = {status: rank for rank, status in enumerate(ORDER)}
# A status may be skipped (a container that ends at once is never seen RUNNING); none comes back.
TABLE: Transitions[TaskStatus] = Transitions(
    {status: frozenset(ORDER[rank + 1 :]) for rank, status in enumerate(ORDER)}
)
_TO_THE_END: frozenset[TaskStatus] = frozenset({"STOPPED"})
_PLACED: frozenset[TaskStatus] = frozenset({"PENDING", "STOPPED"})
_SCHEDULERS: dict[TaskStatus, frozenset[TaskStatus]] = {
    status: _PLACED if status == "PROVISIONING" else _TO_THE_END for status in ORDER[:-1]
}
MOVES: dict[Mover, Transitions[TaskStatus]] = {
    "host": TABLE,
    "scheduler": Transitions(_SCHEDULERS),
}
CONTAINER_ORDER = ("PENDING", "RUNNING", "STOPPED")
CONTAINER_RANK: dict[str, int] = {status: rank for rank, status in enumerate(CONTAINER_ORDER)}
_OF_NAME: dict[str, TaskStatus] = {status: status for status in ORDER}


def status_named(text: str) -> TaskStatus | None:
    """The status that a report names, or None where it is none."""
    return _OF_NAME.get(text)


def moved(before: TaskStatus, after: TaskStatus, mover: Mover) -> TaskStatus:
    """Return `after`; assert that `mover` may make this move."""
    return MOVES[mover].check(before, after)
