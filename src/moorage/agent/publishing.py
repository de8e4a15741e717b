"""What goes out on TCS: health, instance status and metrics as the protocol spells them. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from moorage.acs import telemetry as tcs
from moorage.agent.engine.instructions import PublishHealth, PublishInstanceStatus
from moorage.agent.records.container import ContainerStatus
from moorage.agent.records.report import TaskHealth
from moorage.agent.records.task import TaskRecord
from moorage.agent.runtime.port import Usage
from moorage.ground.instant import (
    Instant,
    between,
    epoch,
    in_seconds,
    maybe_epoch,
)
from moorage.ground.record import Record

BYTES_PER_MEBIBYTE = 1 << 20
_T = TypeVar("_T")
CONTAINER_RUNTIME = "ContainerRuntime"


class Sender(Record):
    """Who publishes."""

    cluster: str
    container_instance: str


class Reading(Record):
    """Two readings of one container, a period apart."""

    before: Usage
    after: Usage


def health(
    wanted: PublishHealth, sender: Sender, message_id: str, now: Instant
) -> Iterator[tcs.PublishHealthRequest]:
    """The health of tasks, ten in a message."""
    parts = list(_parts(wanted.tasks))
    for number, part in enumerate(parts, 1):
        yield tcs.PublishHealthRequest(
            metadata=tcs.HealthMetadata(
                cluster=sender.cluster,
                container_instance=sender.container_instance,
                message_id=f"{message_id}-{number}",
                fin=number == len(parts),
            ),
            tasks=tuple(_task_health(task) for task in part),
            timestamp=epoch(now),
        )


def status(
    wanted: PublishInstanceStatus, sender: Sender, message_id: str, now: Instant
) -> tcs.PublishInstanceStatusRequest:
    """How the container runtime is."""
    return tcs.PublishInstanceStatusRequest(
        metadata=tcs.InstanceStatusMetadata(
            cluster=sender.cluster,
            container_instance=sender.container_instance,
            request_id=message_id,
        ),
        statuses=(
            tcs.InstanceStatus(
                type=CONTAINER_RUNTIME,
                status="IMPAIRED" if wanted.impaired else "OK",
                status_reason=wanted.reason,
                last_updated=epoch(now),
                last_status_change=epoch(wanted.since),
            ),
        ),
        timestamp=epoch(now),
    )


def metrics(
    tasks: Iterable[TaskRecord],
    readings: Mapping[str, Reading],
    sender: Sender,
    message_id: str,
    now: Instant,
) -> Iterator[tcs.PublishMetricsRequest]:
    """The figures of the containers that have two readings (by runtime id), ten tasks a message.

    A host without running tasks says that it is idle.
    """
    told = [metric for task in tasks if (metric := _task_metric(task, readings)) is not None]
    parts: list[list[tcs.TaskMetric]] = list(_parts(told)) or [[]]
    for number, part in enumerate(parts, 1):
        yield tcs.PublishMetricsRequest(
            metadata=tcs.MetricsMetadata(
                cluster=sender.cluster,
                container_instance=sender.container_instance,
                message_id=f"{message_id}-{number}",
                idle=not told,
                fin=number == len(parts),
            ),
            task_metrics=tuple(part) or None,
            timestamp=epoch(now),
        )


def running(tasks: Iterable[TaskRecord]) -> list[str]:
    """The runtime ids of all containers that run."""
    return [
        record.runtime_id
        for task in tasks
        for record in task.containers
        if record.runtime_id and record.status is ContainerStatus.RUNNING
    ]


def _parts(things: Iterable[_T]) -> Iterator[list[_T]]:
    rest = list(things)
    for start in range(0, len(rest), tcs.TASKS_IN_MESSAGE_MAX):
        yield rest[start : start + tcs.TASKS_IN_MESSAGE_MAX]


def _task_health(task: TaskHealth) -> tcs.TaskHealthStatus:
    return tcs.TaskHealthStatus(
        task_arn=task.task_arn,
        task_definition_family=task.family,
        task_definition_version=task.version,
        containers=tuple(
            tcs.ContainerHealthStatus(
                container_name=container.container_name,
                health_status=container.health,
                status_since=maybe_epoch(container.since),
                status_message=container.message,
            )
            for container in task.containers
        ),
    )


def _task_metric(task: TaskRecord, readings: Mapping[str, Reading]) -> tcs.TaskMetric | None:
    found = tuple(
        _container_metric(record.name, readings[record.runtime_id], record.restarts)
        for record in task.containers
        if record.runtime_id is not None and record.runtime_id in readings
    )
    if not found:
        return None
    return tcs.TaskMetric(
        task_arn=task.arn,
        task_definition_family=task.task.family,
        task_definition_version=task.task.version,
        container_metrics=found,
    )


def _container_metric(name: str, reading: Reading, restarts: int) -> tcs.ContainerMetric:
    before, after = reading.before, reading.after
    period = max(between(before.at, after.at), 1)
    percent = max(after.cpu - before.cpu, 0) * 100 / period
    return tcs.ContainerMetric(
        container_name=name,
        cpu_stats_set=_one(percent),
        memory_stats_set=_one(after.memory_bytes / BYTES_PER_MEBIBYTE),
        network_stats_set=_network(reading),
        storage_stats_set=tcs.StorageStatisticSet(
            read_size_bytes=_one(max(after.read_bytes - before.read_bytes, 0)),
            write_size_bytes=_one(max(after.written_bytes - before.written_bytes, 0)),
        ),
        restart_stats_set=tcs.RestartStatisticSet(restart_count=restarts) if restarts else None,
    )


def _network(reading: Reading) -> tcs.NetworkStatisticSet | None:
    before, after = reading.before.network, reading.after.network
    if before is None or after is None:
        return None
    names = after.__struct_fields__
    grown = {n: max(getattr(after, n) - getattr(before, n), 0) for n in names}
    seconds = max(in_seconds(between(reading.before.at, reading.after.at)), 1e-6)
    return tcs.NetworkStatisticSet(
        **{name: _one(value) for name, value in grown.items()},
        rx_bytes_per_second=_one(grown["rx_bytes"] / seconds),
        tx_bytes_per_second=_one(grown["tx_bytes"] / seconds),
    )


def _one(value: float) -> tcs.StatisticSet:
    """A set of one reading."""
    return tcs.StatisticSet(min=value, max=value, sample_count=1, sum=value)
