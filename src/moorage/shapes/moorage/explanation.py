"""Why a service, a deployment or a host is as it is: sentences, and the figures behind them."""

from moorage.ground.record import Record
from moorage.shapes.moorage.host_state import Host
from moorage.shapes.moorage.post_mortem import Cause
from moorage.shapes.scalar import Integer, Timestamp


class Wait(Record, rename="camel"):
    """One thing that is waited for; `until` where time alone ends it."""

    text: str | None = None
    until: Timestamp | None = None


class PlacementFilter(Record, rename="camel"):
    """One filter of placement: of `asked` hosts that came to it, `refused` did not pass.

    `hosts` are the names of some that did not.
    """

    name: str | None = None
    asked: Integer | None = None
    refused: Integer | None = None
    hosts: list[str] | None = None


class PlacementOutlook(Record, rename="camel"):
    """What the hosts of a cluster say to one more task; the filters in the order of placement.

    `takers` are the hosts that would take it. Where there are none, `closest` is the one that came
    farthest, and `lacks` what stopped it there.
    """

    summary: str | None = None
    hosts: Integer | None = None
    takers: list[str] | None = None
    filters: list[PlacementFilter] | None = None
    closest: str | None = None
    lacks: str | None = None


class ExplainServiceRequest(Record, rename="camel"):
    """A service by its name or ARN."""

    cluster: str | None = None
    service: str | None = None


class ExplainServiceResponse(Record, rename="camel"):
    """What a service wants, has and waits for, and where its next task could go.

    `waits` are what holds it now, what holds everything first; `causes` what was said of late, the
    oldest first.
    """

    service_arn: str | None = None
    status: str | None = None
    deployment: str | None = None
    headline: str | None = None
    desired_count: Integer | None = None
    running_count: Integer | None = None
    pending_count: Integer | None = None
    healthy_count: Integer | None = None
    waits: list[Wait] | None = None
    causes: list[Cause] | None = None
    placement: PlacementOutlook | None = None


class ExplainDeploymentRequest(Record, rename="camel"):
    """A deployment by its id (`ecs-svc/N`), its ARN, or the name of a service for its newest one."""

    cluster: str | None = None
    deployment: str | None = None


class ExplainDeploymentResponse(Record, rename="camel"):
    """How a deployment went, the oldest cause first, and what it waits for.

    `failedTasks` are the ARNs of those that failed and are remembered, the newest first.
    """

    service_deployment_arn: str | None = None
    deployment: str | None = None
    service: str | None = None
    task_definition: str | None = None
    status: str | None = None
    rollout_state: str | None = None
    headline: str | None = None
    desired_count: Integer | None = None
    running_count: Integer | None = None
    waits: list[Wait] | None = None
    causes: list[Cause] | None = None
    failed_tasks: list[str] | None = None


class HostResource(Record, rename="camel"):
    """One resource of a host: what it has, what its tasks were promised, what is left."""

    name: str | None = None
    has: Integer | None = None
    promised: Integer | None = None
    left: Integer | None = None


class HeldTask(Record, rename="camel"):
    """One live task of a host and what it was promised there; `ports` as `80/tcp`.

    `owner` is its service, or its definition where it has none.
    """

    task_arn: str | None = None
    owner: str | None = None
    last_status: str | None = None
    desired_status: str | None = None
    cpu: Integer | None = None
    memory: Integer | None = None
    gpus: Integer | None = None
    ports: list[str] | None = None


class ExplainHostRequest(Record, rename="camel"):
    """A host by its name, its id or its ARN."""

    cluster: str | None = None
    host: str | None = None


class ExplainHostResponse(Record, rename="camel"):
    """Where a host stands, what it holds and promises, and why it gets no tasks.

    `reservedPorts` are those that it keeps for itself; `reasons` why it takes none, or none of a
    service that waits for room.
    """

    host: Host | None = None
    headline: str | None = None
    resources: list[HostResource] | None = None
    tasks: list[HeldTask] | None = None
    reserved_ports: list[str] | None = None
    reasons: list[str] | None = None
