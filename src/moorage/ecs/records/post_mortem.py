"""A post-mortem: what a host told of one task's end, and what outlives the task itself."""

from moorage.ecs.records.task import Task
from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.shapes.moorage.post_mortem import ContainerPostMortem


class PostMortem(Record):
    """How a task ended, as its host saw it; where `ended` is false it was healed and runs on.

    `holder` is the ARN of its service, or of its cluster where it had none: by holder they are
    counted and forgotten. `at` is the host's time. `remembered` is the task as it was when it was
    forgotten: a post-mortem is kept for longer.
    """

    holder: str
    task: str
    account: str
    region: str
    cluster_arn: str
    instance: str
    received_at: Instant
    ended: bool
    at: Instant | None = None
    reason: str | None = None
    containers: tuple[ContainerPostMortem, ...] = ()
    remembered: Task | None = None

    @property
    def healings(self) -> int:
        """How often containers of the task were started again while the server was away."""
        return sum(container.healings or 0 for container in self.containers)
