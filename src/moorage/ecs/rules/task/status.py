"""The one table of the moves of a task's lastStatus, and who may make them."""

from moorage.ecs.records.task import TaskStatus
from moorage.ground.machine import Transitions

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
