"""Rebalancing: which tasks would move to which hosts, and why others would not."""

from moorage.ground.record import Record
from moorage.shapes.scalar import Integer, Timestamp


class RebalancingMove(Record, rename="camel"):
    """One task that would move: a successor starts on `toHost`, and then it stops.

    `kind` is `zone`, `host` or `load`; `reason` says it in words.
    """

    service: str | None = None
    task_arn: str | None = None
    from_host: str | None = None
    from_zone: str | None = None
    to_host: str | None = None
    to_zone: str | None = None
    kind: str | None = None
    reason: str | None = None


class RebalancingStay(Record, rename="camel"):
    """A service of which nothing more would move, and why; `until` when that ends by itself."""

    service: str | None = None
    mode: str | None = None
    balanced: bool | None = None
    reason: str | None = None
    until: Timestamp | None = None


class ClosedHost(Record, rename="camel"):
    """A host that takes no moved tasks now, and why."""

    host: str | None = None
    reason: str | None = None


class TaskMove(Record, rename="camel"):
    """One move under way: `successorArn` runs or starts on `toHost`; then `taskArn` stops."""

    task_arn: str | None = None
    from_host: str | None = None
    successor_arn: str | None = None
    to_host: str | None = None


class ServiceRebalancing(Record, rename="camel"):
    """A service whose rebalancing has begun and is not over; `planned` moves are to begin next."""

    service: str | None = None
    since: Timestamp | None = None
    moves: list[TaskMove] | None = None
    planned: Integer | None = None


class ListRebalancingsRequest(Record, rename="camel"):
    """The cluster."""

    cluster: str | None = None


class ListRebalancingsResponse(Record, rename="camel"):
    """The services that are being rebalanced now, by name."""

    rebalancings: list[ServiceRebalancing] | None = None


class PreviewRebalancingRequest(Record, rename="camel"):
    """The cluster, and one service of it or all.

    `settled` counts only hosts that have settled, as the server does by itself; else all that are
    ready are counted, as StartRebalancing does.
    """

    cluster: str | None = None
    service: str | None = None
    settled: bool | None = None


class PreviewRebalancingResponse(Record, rename="camel"):
    """All moves in order until nothing is left to move, what stays, and which hosts take nothing.

    `movesMax` is how many move at once in the cluster; 0 where the server moves nothing.
    """

    moves: list[RebalancingMove] | None = None
    stays: list[RebalancingStay] | None = None
    closed_hosts: list[ClosedHost] | None = None
    moves_max: int | None = None


class StartRebalancingRequest(Record, rename="camel"):
    """Rebalance a cluster, or one service of it, now: without waiting for hosts to settle."""

    cluster: str | None = None
    service: str | None = None


class StartRebalancingResponse(Record, rename="camel"):
    """What will be done, as PreviewRebalancing shows it."""

    moves: list[RebalancingMove] | None = None
    stays: list[RebalancingStay] | None = None
    closed_hosts: list[ClosedHost] | None = None
    moves_max: int | None = None
