"""The timeline: what happened in a cluster, each event with its cause."""

from moorage.ground.record import Record
from moorage.shapes.scalar import Integer, Timestamp


class TimelineEvent(Record, rename="camel"):
    """One event; what it concerns is there, the rest absent.

    `kind` is its subject, a hyphen and what became of it (`task-stopped`, `host-lost`); `cause` the
    call that made it happen, and whose; absent where the scheduler did so by itself. `position`
    orders the newest before the older, and is never given twice.
    """

    at: Timestamp | None = None
    kind: str | None = None
    text: str | None = None
    cause: str | None = None
    service: str | None = None
    host: str | None = None
    container_instance_arn: str | None = None
    task: str | None = None
    deployment: str | None = None
    position: str | None = None


class ListTimelineRequest(Record, rename="camel"):
    """The events of `cluster`, newest first; each filter that is given must fit.

    `kind` is a whole kind, or its subject (`cluster`, `task`, `host`, `machine`, `deployment`,
    `freeze`, `brake`, `service`). `since` is a time before which nothing is wanted, `host` a name, an id or an ARN.
    """

    cluster: str | None = None
    service: str | None = None
    host: str | None = None
    kind: str | None = None
    since: Timestamp | None = None
    max_results: Integer | None = None
    next_token: str | None = None


class ListTimelineResponse(Record, rename="camel"):
    """A page of events, newest first."""

    events: list[TimelineEvent] | None = None
    next_token: str | None = None
