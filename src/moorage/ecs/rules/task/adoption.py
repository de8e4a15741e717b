"""The row of a task that a host runs and that a restored database does not know.

Everything is taken from what the server itself had once sent to the host, and from how the host
says that it is now. What the task takes of its host is counted from its definition where that is
known, else from the payload: too much rather than nothing, so that its room is not promised twice.
"""

from collections.abc import Iterable

from moorage.acs import messages, task_messages
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task, TaskContainer
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.placement.resources import needs
from moorage.ecs.rules.task.advance import ContainerReport, TaskReport, advance
from moorage.ground.arn import make_arn, parse_arn
from moorage.ground.instant import Instant
from moorage.ground.record import Record, evolve
from moorage.shapes.ecs.network import NetworkBinding

UNITS_PER_VCPU = 1024
REVISION_DIGITS_MAX = 9
WORD_LENGTH_MAX = 255
CONTAINERS_MAX = 100


class Found(Record):
    """What the database does know of an adopted task: its definition and its service, if any."""

    definition: TaskDefinition | None = None
    service: Service | None = None


def belongs(held: messages.HeldTask, instance: ContainerInstance) -> bool:
    """Whether a host may tell of this task: one of its own cluster, with a name and containers."""
    arn = parse_arn(held.task.arn)
    cluster = (instance.account, instance.region, instance.cluster)
    if arn is None or not task_id(held):
        return False
    task = make_arn("task", *_reordered(cluster), task_id(held))
    revision = held.task.version or ""
    return (
        held.task.arn == task
        and bool(held.task.family)
        and revision.isascii()
        and revision.isdigit()
        and len(revision) <= REVISION_DIGITS_MAX
        and 0 < len(held.task.containers or ()) <= CONTAINERS_MAX
    )


def task_id(held: messages.HeldTask) -> str:
    """The id of a task, the last part of its ARN."""
    return held.task.arn.rpartition("/")[2]


def adopted(
    held: messages.HeldTask, instance: ContainerInstance, found: Found, now: Instant
) -> Task:
    """The row of the task, as its host says that it is; it has been acknowledged long ago."""
    sent = held.task
    extras = sent.moorage or task_messages.TaskExtras()
    service = found.service
    fresh = Task(
        account=instance.account,
        region=instance.region,
        cluster=instance.cluster,
        id=task_id(held),
        arn=sent.arn,
        task_definition=make_arn(
            "task-definition",
            instance.region,
            instance.account,
            f"{sent.family}:{sent.version}",
        ),
        family=sent.family or "",
        revision=int(sent.version or 0),
        group=_word(sent.group) or f"family:{sent.family}",
        instance=instance.arn,
        last_status="PENDING",
        desired_status="RUNNING",
        created_at=now,
        reserved=_reserved(sent, found.definition),
        containers=tuple(_container(one, sent.arn) for one in sent.containers or ()),
        launch_type=_word(sent.launch_type) or "EC2",
        started_by=_word(extras.started_by),
        service=service.arn if service else "",
        deployment=_word(extras.deployment) if service else "",
        service_revision=_word(extras.service_revision) if service else "",
        zone=instance.zone,
        connectivity_at=now,
        acknowledged_at=now,
        payload_sequence=1,
        is_adopted=True,
    )
    report = TaskReport(
        status=held.status,
        containers=tuple(_report(one) for one in held.containers or ()),
    )
    after = advance(fresh, report, now).task
    return evolve(after, cpu=str(after.reserved.cpu), memory=str(after.reserved.memory))


def _reserved(sent: task_messages.Task, definition: TaskDefinition | None) -> Resources:
    if definition is not None:
        return needs(definition.definition)
    containers = sent.containers or ()
    cpu = sum(one.cpu or 0 for one in containers)
    memory = sum(one.memory or 0 for one in containers)
    fixed = [
        (one.host_port, one.protocol == "udp")
        for container in containers
        for one in container.port_mappings or ()
        if one.host_port
    ]
    return Resources(
        cpu=round(sent.cpu * UNITS_PER_VCPU) if sent.cpu else cpu,
        memory=sent.memory or memory,
        ports=_ports(fixed, udp=False),
        ports_udp=_ports(fixed, udp=True),
    )


def _ports(fixed: Iterable[tuple[int, bool]], *, udp: bool) -> tuple[int, ...]:
    return tuple(sorted({port for port, is_udp in fixed if is_udp is udp}))


def _container(sent: task_messages.Container, task_arn: str) -> TaskContainer:
    return TaskContainer(
        name=sent.name[:WORD_LENGTH_MAX],
        arn=_word(sent.container_arn) or f"{task_arn}/{sent.name}"[:WORD_LENGTH_MAX],
        image=_word(sent.image),
        essential=sent.essential is not False,
        has_health_check=sent.health_check_type == "docker",
        cpu=str(sent.cpu or 0),
        memory=None if sent.memory is None else str(sent.memory),
    )


def _report(held: messages.HeldContainer) -> ContainerReport:
    return ContainerReport(
        name=held.name,
        status=held.status,
        runtime_id=_word(held.runtime_id) or None,
        image_digest=_word(held.image_digest) or None,
        network_bindings=tuple(
            NetworkBinding(
                bind_ip=one.bind_ip,
                container_port=one.container_port,
                host_port=one.host_port,
                protocol=one.protocol,
            )
            for one in held.ports or ()
        ),
    )


def _reordered(cluster: tuple[str, str, str]) -> tuple[str, str, str]:
    account, region, name = cluster
    return region, account, name


def _word(text: str | None) -> str:
    return (text or "")[:WORD_LENGTH_MAX]
