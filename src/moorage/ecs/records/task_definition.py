"""A task definition: what to run, in normal form, one immutable revision."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.ecs.tag import Tag
from moorage.shapes.ecs.task_definition import TaskDefinition as TaskDefinitionShape


class TaskDefinition(Record):
    """One revision of one family; `definition` is what ECS reads back, in its normal form.

    `status` is ACTIVE, INACTIVE once it was deregistered, or DELETE_IN_PROGRESS until the last task
    and service that use it are gone, and it with them.
    """

    account: str
    region: str
    family: str
    revision: int
    arn: str
    status: str
    registered_at: Instant
    definition: TaskDefinitionShape
    deregistered_at: Instant | None = None
    delete_requested_at: Instant | None = None
    tags: list[Tag] = []

    @property
    def name(self) -> str:
        """`family:revision`."""
        return f"{self.family}:{self.revision}"
