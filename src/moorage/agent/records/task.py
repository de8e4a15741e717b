"""A task as the agent keeps it: what the server asked for, and how far it has come."""

from enum import StrEnum
from typing import Literal

from moorage.acs.task_messages import Task
from moorage.agent.records.container import ContainerRecord
from moorage.agent.records.report import TaskReport
from moorage.ground.instant import Instant
from moorage.ground.record import Record

Desired = Literal["RUNNING", "STOPPED"]
PostMortemStage = Literal["", "asked", "done"]


class ResourceStatus(StrEnum):
    """Where a volume or the cgroup of a task is."""

    WAITING = "WAITING"
    CREATING = "CREATING"
    READY = "READY"
    REMOVING = "REMOVING"
    REMOVED = "REMOVED"


class ResourceRecord(Record):
    """A volume or cgroup of a task; `name` is Docker's name of the volume or the cgroup's path.

    `kept` is true where it outlives the task (a shared volume).
    """

    kind: Literal["volume", "cgroup"]
    name: str
    status: ResourceStatus = ResourceStatus.WAITING
    kept: bool = False
    deadline: Instant | None = None
    failures: int = 0


class TaskRecord(Record):
    """Everything of one task; one file of the checkpoint.

    `task` is the payload's, without credentials. `adopted` says that it was rebuilt from the
    labels of its containers, so that a payload may still complete it. `sequence` numbers the
    reports; `submitting` is the one that is out, `reported` the last that the server accepted.
    `settled` is true once STOPPED was accepted (or refused for good): nothing more is said.
    `post_mortem` says how far its last lines are: asked for (until `post_mortem_deadline` they hold
    its containers back from removal), or done. `healings_told` is how many healings the server was
    told of.
    """

    task: Task
    desired: Desired
    containers: tuple[ContainerRecord, ...]
    received_at: Instant
    resources: tuple[ResourceRecord, ...] = ()
    adopted: bool = False
    reason: str | None = None
    pull_started_at: Instant | None = None
    pull_stopped_at: Instant | None = None
    stopped_at: Instant | None = None
    sequence: int = 0
    submitting: TaskReport | None = None
    reported: TaskReport | None = None
    settled: bool = False
    post_mortem: PostMortemStage = ""
    post_mortem_deadline: Instant | None = None
    healings_told: int = 0

    @property
    def arn(self) -> str:
        """The task's ARN: its identity everywhere."""
        return self.task.arn
