"""Freezes: while one holds, nothing of a cluster or a service is started, stopped or replaced."""

from moorage.ground.record import Record
from moorage.shapes.scalar import Integer, Timestamp


class FrozenScope(Record, rename="camel"):
    """One freeze: of a service, or of a whole cluster where `service` is absent.

    `cause` is `operator` (a person), `restore` (the database is an older one) or `brake` (too many
    hosts were lost at once; it holds replacement alone). It ends at `until`, or by hand.
    """

    cluster: str | None = None
    service: str | None = None
    cause: str | None = None
    reason: str | None = None
    created_at: Timestamp | None = None
    created_by: str | None = None
    until: Timestamp | None = None


class FreezeSchedulingRequest(Record, rename="camel"):
    """Freeze a service, or all of a cluster; for good where `durationSeconds` is absent."""

    cluster: str | None = None
    service: str | None = None
    reason: str | None = None
    duration_seconds: Integer | None = None


class FreezeSchedulingResponse(Record, rename="camel"):
    """The freeze as it is kept."""

    freeze: FrozenScope | None = None


class ThawSchedulingRequest(Record, rename="camel"):
    """End the freezes of a service, or those of a cluster as a whole."""

    cluster: str | None = None
    service: str | None = None


class ThawSchedulingResponse(Record, rename="camel"):
    """The freezes that were ended; none where nothing was frozen."""

    thawed: list[FrozenScope] | None = None


class ListFreezesRequest(Record, rename="camel"):
    """The freezes of one cluster, or of all of them."""

    cluster: str | None = None


class ListFreezesResponse(Record, rename="camel"):
    """The freezes that hold now, clusters before their services."""

    freezes: list[FrozenScope] | None = None
