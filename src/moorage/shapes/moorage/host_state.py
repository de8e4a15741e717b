"""Hosts as people see them: where each stands and why, and what can be done about it."""

from moorage.ground.record import Record
from moorage.shapes.scalar import Integer, Timestamp


class HostDrain(Record, rename="camel"):
    """How far a drain is: the tasks that are still there, and its deadline, if it has one."""

    deadline: Timestamp | None = None
    on_timeout: str | None = None
    service_tasks_left: Integer | None = None
    other_tasks_left: Integer | None = None


class Host(Record, rename="camel"):
    """One host.

    `state` is CONNECTED, SUSPECT, AWAY, LOST, ENGINE_GONE, IMPAIRED, FLAPPING or NEVER_CONNECTED;
    `stateReason` says in a sentence why, and what follows; `stateSince` since when. `replaceAt` is
    from when on the tasks of a lost host are replaced elsewhere: while it is absent, they are held.
    `loss` is silent, away or engine.
    """

    name: str | None = None
    container_instance_arn: str | None = None
    cluster: str | None = None
    status: str | None = None
    state: str | None = None
    state_since: Timestamp | None = None
    state_reason: str | None = None
    connected: bool | None = None
    suspect: bool | None = None
    lost_at: Timestamp | None = None
    loss: str | None = None
    replace_at: Timestamp | None = None
    confirmed_at: Timestamp | None = None
    flapping_until: Timestamp | None = None
    engine_gone_at: Timestamp | None = None
    drain: HostDrain | None = None
    zone: str | None = None
    running_tasks_count: Integer | None = None
    pending_tasks_count: Integer | None = None
    unreachable_tasks_count: Integer | None = None
    remaining_cpu: Integer | None = None
    remaining_memory: Integer | None = None
    agent_version: str | None = None
    docker_version: str | None = None


class DescribeHostsRequest(Record, rename="camel"):
    """The hosts of `cluster` (default: `default`); `hosts` are names, ids or ARNs of some."""

    cluster: str | None = None
    hosts: list[str] | None = None
    max_results: Integer | None = None
    next_token: str | None = None


class DescribeHostsResponse(Record, rename="camel"):
    """The hosts, by ARN."""

    hosts: list[Host] | None = None
    next_token: str | None = None


class ConfirmHostLostRequest(Record, rename="camel"):
    """A lost `host` (a name, an id or an ARN) will not come back with its tasks."""

    cluster: str | None = None
    host: str | None = None


class ConfirmHostLostResponse(Record, rename="camel"):
    """The host, and how many tasks of services may be replaced now; others are left alone."""

    host: Host | None = None
    service_tasks: Integer | None = None
    other_tasks: Integer | None = None


class DrainHostRequest(Record, rename="camel"):
    """Drain `host` within `deadlineSeconds`; then `onTimeout`: force (the default) or abandon."""

    cluster: str | None = None
    host: str | None = None
    deadline_seconds: Integer | None = None
    on_timeout: str | None = None


class DrainHostResponse(Record, rename="camel"):
    """The host, DRAINING from now on."""

    host: Host | None = None
