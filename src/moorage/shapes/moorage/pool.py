"""Pools of hosts: how large each is, how large it is to be, and what holds it up."""

from moorage.ground.record import Record
from moorage.shapes.scalar import Integer, Timestamp


class PoolMachine(Record, rename="camel"):
    """One machine: CREATING, JOINING, JOINED, RETIRING or DESTROYING.

    `reason` says what went wrong last, after `tries` attempts; the next one is at `nextTryAt`.
    """

    name: str | None = None
    status: str | None = None
    container_instance_arn: str | None = None
    created_at: Timestamp | None = None
    tries: Integer | None = None
    next_try_at: Timestamp | None = None
    reason: str | None = None


class HostPool(Record, rename="camel"):
    """One pool. `reservation` is CapacityProviderReservation as it was last measured, in percent.

    `wanted` is how many hosts it is to have; `surplusSince` since when there have been more than are
    needed. After `failures` in a row nothing is made before `retryAt`; `reason` is the newest one.
    `waitingTasks` are the tasks that are PROVISIONING for it.
    """

    name: str | None = None
    cluster: str | None = None
    capacity_provider: str | None = None
    minimum: Integer | None = None
    maximum: Integer | None = None
    wanted: Integer | None = None
    reservation: Integer | None = None
    waiting_tasks: Integer | None = None
    surplus_since: Timestamp | None = None
    failures: Integer | None = None
    retry_at: Timestamp | None = None
    reason: str | None = None
    machines: list[PoolMachine] | None = None


class DescribePoolsRequest(Record, rename="camel"):
    """All pools of the caller's account and region, or the one of that name."""

    pool: str | None = None


class DescribePoolsResponse(Record, rename="camel"):
    """The pools by name."""

    pools: list[HostPool] | None = None
