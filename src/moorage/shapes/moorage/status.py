"""The state of clusters at a glance: hosts with what is left of them, services, tasks, events."""

from moorage.ground.record import Record
from moorage.shapes.scalar import Integer, Timestamp


class DescribeStatusRequest(Record, rename="camel"):
    """One cluster by name or ARN, or all ACTIVE ones where none is named."""

    cluster: str | None = None


class HostStatus(Record, rename="camel"):
    """One host: is it there, and what is left of its CPU units and MiB."""

    name: str | None = None
    arn: str | None = None
    cluster: str | None = None
    status: str | None = None
    connected: bool | None = None
    lost: bool | None = None
    cpu_total: Integer | None = None
    cpu_free: Integer | None = None
    memory_total: Integer | None = None
    memory_free: Integer | None = None
    tasks: Integer | None = None


class ServiceStatus(Record, rename="camel"):
    """One service: counts, its newest deployment, and when it next tries to start a task.

    `next_start_at` is only there while starts are held back after failures.
    """

    name: str | None = None
    arn: str | None = None
    cluster: str | None = None
    status: str | None = None
    desired_count: Integer | None = None
    running_count: Integer | None = None
    pending_count: Integer | None = None
    task_definition: str | None = None
    deployment: str | None = None
    rollout_state: str | None = None
    failed_starts: Integer | None = None
    next_start_at: Timestamp | None = None
    waits_for_room: bool | None = None


class TaskStatus(Record, rename="camel"):
    """One task that has not stopped."""

    id: str | None = None
    arn: str | None = None
    cluster: str | None = None
    host: str | None = None
    group: str | None = None
    task_definition: str | None = None
    last_status: str | None = None
    desired_status: str | None = None
    health_status: str | None = None
    connectivity: str | None = None
    started_at: Timestamp | None = None


class EventStatus(Record, rename="camel"):
    """One sentence of a service."""

    service: str | None = None
    created_at: Timestamp | None = None
    message: str | None = None


class DescribeStatusResponse(Record, rename="camel"):
    """Everything, hosts and services by name, tasks by age, events newest first."""

    hosts: list[HostStatus] | None = None
    services: list[ServiceStatus] | None = None
    tasks: list[TaskStatus] | None = None
    events: list[EventStatus] | None = None
