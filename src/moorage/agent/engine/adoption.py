"""How tasks come to be known: from payloads, from manifests, and from containers without a task.

A container that carries this host's label and whose task is unknown belongs to a lost checkpoint
(its labels tell enough of the task to go on with it) or to a task that is over (then it is
removed). Which of the two tasks may go on is for the server to say, by manifest and verification.
"""

from collections.abc import Iterable

import msgspec

from moorage.acs.task_messages import Container, Task
from moorage.agent.engine import dependency, volumes
from moorage.agent.engine.labels import LABEL_ATTEMPT, LABEL_CLUSTER, LABEL_TASK
from moorage.agent.engine.names import docker_name
from moorage.agent.records.container import ContainerRecord, ContainerStatus, ObservedContainer
from moorage.agent.records.host import Host
from moorage.agent.records.task import ResourceRecord, ResourceStatus, TaskRecord
from moorage.ground.instant import Instant
from moorage.ground.record import evolve

UNKNOWN_TO_STOP = "TaskStateError: Agent could not progress task's state to stopped"
UNKNOWN_IN_MANIFEST = "TaskStateError: this host has no such task"
RECORDS_LOST = (
    "CannotCreateContainerError: the agent lost its records before this container was made"
)
NEVER_STARTED = (
    "CannotStartContainerError: the agent lost its records before this container was started"
)
_TASK = msgspec.json.Decoder(Task)


def flaw(task: Task) -> str | None:
    """Why this task can never be run here, in a sentence; None for a sound one."""
    containers = task.containers or ()
    names = [container.name for container in containers]
    if task.desired_status not in {"RUNNING", "STOPPED"}:
        return f"the desired status {task.desired_status} is neither RUNNING nor STOPPED"
    if not names:
        return "the task has no containers"
    if len(set(names)) < len(names):
        return "two containers have the same name"
    if any(not container.image for container in containers):
        return "a container has no image"
    if len({docker_name(task, name) for name in names}) < len(names):
        return "two containers would have the same name on the host"
    return dependency.flaw(containers) or volumes.flaw(task)


def sound(task: Task, host: Host, now: Instant) -> TaskRecord:
    """The record of a task that is to run, with its credentials left out: they stay in memory."""
    return TaskRecord(
        task=evolve(task, role_credentials=None, execution_role_credentials=None),
        desired="RUNNING",
        containers=tuple(ContainerRecord(name=c.name) for c in task.containers or ()),
        resources=volumes.resources(task, host),
        received_at=now,
    )


def over(task: Task, now: Instant, reason: str | None) -> TaskRecord:
    """The record of a task of which nothing is run: all that is left is to say that it stopped."""
    containers = tuple({c.name: c for c in task.containers or ()}.values())
    return TaskRecord(
        task=evolve(
            task,
            containers=containers,
            role_credentials=None,
            execution_role_credentials=None,
        ),
        desired="STOPPED",
        containers=tuple(
            ContainerRecord(name=c.name, status=ContainerStatus.STOPPED, finished_at=now)
            for c in containers
        ),
        received_at=now,
        stopped_at=now,
        reason=reason,
    )


def stopping(task: Task, now: Instant) -> TaskRecord:
    """The record of an unknown task that is to stop: its containers are none, until a look says."""
    containers = tuple({c.name: c for c in task.containers or ()}.values())
    return TaskRecord(
        task=evolve(
            task,
            containers=containers,
            role_credentials=None,
            execution_role_credentials=None,
        ),
        desired="STOPPED",
        containers=tuple(ContainerRecord(name=c.name) for c in containers),
        received_at=now,
        adopted=True,
        reason=None if containers else UNKNOWN_TO_STOP,
    )


def completed(adopted: TaskRecord, task: Task) -> TaskRecord:
    """An adopted task whose payload came after all: its definition is whole again."""
    names = {container.name for container in task.containers or ()}
    if {record.name for record in adopted.containers} != names:
        return adopted
    return evolve(
        adopted,
        task=evolve(task, role_credentials=None, execution_role_credentials=None),
        adopted=False,
    )


def adopt(task_arn: str, seen: Iterable[ObservedContainer], host: Host, now: Instant) -> TaskRecord:
    """The record of a task made from its containers' labels.

    A container of the task that is not there never will be: what it needs is not in the labels.
    """
    found = {container.container: container for container in seen}
    task = _from_labels(task_arn, found)
    records = []
    for container in task.containers or ():
        there = found.get(container.name)
        if there is None:
            records.append(
                ContainerRecord(
                    name=container.name,
                    status=ContainerStatus.STOPPED,
                    finished_at=now,
                    reason=RECORDS_LOST,
                )
            )
        else:
            records.append(_record(there, now))
    return TaskRecord(
        task=task,
        desired="RUNNING",
        containers=tuple(records),
        resources=tuple(_made(r) for r in volumes.resources(task, host)),
        received_at=now,
        adopted=True,
    )


def _made(resource: ResourceRecord) -> ResourceRecord:
    return evolve(resource, status=ResourceStatus.READY)


def _record(seen: ObservedContainer, now: Instant) -> ContainerRecord:
    """One that never ran is not started: its task may have been told to stop before it could be."""
    attempt = seen.labels.get(LABEL_ATTEMPT, "")
    record = ContainerRecord(
        name=seen.container,
        status=ContainerStatus.CREATED,
        attempt=int(attempt) if attempt.isdecimal() else 1,
        runtime_id=seen.runtime_id,
    )
    if seen.running or seen.exit is not None or seen.unread:
        return record
    return evolve(record, status=ContainerStatus.STOPPED, finished_at=now, reason=NEVER_STARTED)


def _from_labels(task_arn: str, found: dict[str, ObservedContainer]) -> Task:
    """The task as a label tells it; else one whose containers are all essential."""
    for seen in found.values():
        try:
            task = _TASK.decode(seen.labels.get(LABEL_TASK, ""))
        except (msgspec.DecodeError, msgspec.ValidationError):
            continue
        names = {container.name for container in task.containers or ()}
        if task.arn == task_arn and set(found) <= names and flaw(task) is None:
            return task
    return Task(
        arn=task_arn,
        desired_status="RUNNING",
        task_cluster_arn=next((s.labels.get(LABEL_CLUSTER) for s in found.values()), None),
        containers=tuple(
            Container(name=name, image=seen.name, essential=True) for name, seen in found.items()
        ),
    )
