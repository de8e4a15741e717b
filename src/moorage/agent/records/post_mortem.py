"""What is told of a task once it has ended, beside its report: how each container came to its end.

The last lines of output are not here: they are read when a post-mortem is gathered, and kept with
it in a file of its own until the server has it.
"""

from moorage.agent.records.container import RunEnd
from moorage.ground.instant import Instant
from moorage.ground.record import Record


class ContainerEnd(Record):
    """One container; `runtime_id` None where it is gone, or never was."""

    name: str
    runtime_id: str | None = None
    image: str | None = None
    image_digest: str | None = None
    started_at: Instant | None = None
    finished_at: Instant | None = None
    exit_code: int | None = None
    out_of_memory: bool = False
    reason: str | None = None
    restarts: int = 0
    healings: int = 0
    last_end: RunEnd | None = None


class PostMortem(Record):
    """A task as it ended; where `ended` is false it was healed and runs, and no lines are told."""

    task: str
    ended: bool
    at: Instant
    reason: str | None = None
    containers: tuple[ContainerEnd, ...] = ()

    @property
    def healings(self) -> int:
        """How often containers of the task were started again while the server was away."""
        return sum(container.healings for container in self.containers)
