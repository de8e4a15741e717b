"""Writes a task as the agent's protocol carries it (agent-protocol.md section 4)."""

from moorage.acs.task_messages import Task as PayloadTask
from moorage.ecs.records.task import Task
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ground.record import Record


class Delivery(Record):
    """What a payload says beside the task: ARN of the cluster, names under which our registry is
    known (`HOST:PORT`), its ECR endpoint's URL, and digests that must not leave the host."""

    cluster_arn: str
    registry_names: tuple[str, ...] = ()
    ecr_endpoint: str = ""
    claimed_digests: tuple[str, ...] = ()


def run_payload(task: Task, definition: TaskDefinition, delivery: Delivery) -> PayloadTask:
    """The order to run a task: everything of Docker's is written out, overrides merged."""
    raise NotImplementedError


def stop_payload(task: Task, cluster_arn: str) -> PayloadTask:
    """The order to stop a task."""
    raise NotImplementedError
