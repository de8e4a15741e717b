"""The row of a task that a host runs and that a restored database does not know.

Everything is taken from what the server itself had once sent to the host, and from how the host
says that it is now; a host may be anybody's by now, so what our server never sends is not taken.
What the task takes of its host is counted from its definition where that is
known, else from the payload: too much rather than nothing, so that its room is not promised twice.
"""

import re
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
from moorage.ground.names import CONTAINER_NAME, FAMILY
from moorage.ground.record import Record, evolve
from moorage.shapes.ecs.network import NetworkBinding

UNITS_PER_VCPU = 1024
REVISION_DIGITS_MAX = 7  # as of the definitions that can be named
WORD_LENGTH_MAX = 255
CONTAINERS_MAX = 100
NUMBER_MAX = 2**31 - 1  # the width of Amazon's numbers: a row with a longer one could not be read
PORT_MAX = 65_535
PROTOCOLS = frozenset({None, "tcp", "udp"})
_TASK_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Found(Record):
    """What the database does know of an adopted task: its definition and its service, if any."""

    definition: TaskDefinition | None = None
    service: Service | None = None


def belongs(held: messages.HeldTask, instance: ContainerInstance) -> bool:
    """Whether a host may tell of this task: one of its own cluster, as our server would send it."""
    if parse_arn(held.task.arn) is None or not _TASK_ID.fullmatch(task_id(held)):
        return False
    cluster = (instance.region, instance.account, instance.cluster)
    revision = held.task.version or ""
    return (
        held.task.arn == make_arn("task", *cluster, task_id(held))
        and held.status != "STOPPED"
        and FAMILY.fullmatch(held.task.family or "") is not None
        and revision.isascii()
        and revision.isdigit()
        and len(revision) <= REVISION_DIGITS_MAX
        and 0 < len(held.task.containers or ()) <= CONTAINERS_MAX
        and _is_sound(held)
    )


def _is_sound(held: messages.HeldTask) -> bool:
    """Whether names and numbers of its containers are such as ours have."""
    sent = held.task
    containers = sent.containers or ()
    names = [one.name for one in containers]
    told = [one for container in held.containers or () for one in container.ports or ()]
    sizes = [sent.memory, *(size for one in containers for size in (one.cpu, one.memory))]
    ports = [port for one in told for port in (one.host_port, one.container_port)]
    ports += [
        one.host_port or 0 for container in containers for one in container.port_mappings or ()
    ]
    return (
        len(set(names)) == len(names)
        and all(map(CONTAINER_NAME.fullmatch, names))
        and all(0 <= size <= NUMBER_MAX for size in sizes if size is not None)
        and 0 <= (sent.cpu or 0) <= NUMBER_MAX / UNITS_PER_VCPU
        and all(0 <= port <= PORT_MAX for port in ports)
        and all(one.protocol in PROTOCOLS for one in told)
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
        group=f"service:{service.name}"
        if service
        else _word(sent.group) or f"family:{sent.family}",
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
    after = advance(_with_gpus(fresh, sent, instance), report, now).task
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


def _with_gpus(task: Task, sent: task_messages.Task, instance: ContainerInstance) -> Task:
    """The task with those GPUs of its host that the host says its containers have."""
    own = instance.resources.gpu_ids
    containers = tuple(
        evolve(one, gpu_ids=tuple(g for g in own if g in task_messages.gpus_of(sent, one.name)))
        for one in task.containers
    )
    taken = tuple(gpu for one in containers for gpu in one.gpu_ids)
    return evolve(
        task,
        containers=containers,
        reserved=evolve(task.reserved, gpus=len(taken), gpu_ids=taken, all_gpus=False),
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
                bind_ip=None if one.bind_ip is None else _word(one.bind_ip),
                container_port=one.container_port,
                host_port=one.host_port,
                protocol=one.protocol,
            )
            for one in held.ports or ()
        ),
    )


def _word(text: str | None) -> str:
    return (text or "")[:WORD_LENGTH_MAX]
