"""What a write would do: the member `dryRun` of the answer to one that carried X-Moorage-Dry-Run."""

from moorage.ground.record import Record
from moorage.shapes.moorage.explanation import PlacementOutlook
from moorage.shapes.scalar import Integer, Timestamp


class ForeseenStart(Record, rename="camel"):
    """A task that would be started; without a host it would wait for room. It has no id yet."""

    service: str | None = None
    task_definition: str | None = None
    deployment: str | None = None
    host: str | None = None
    container_instance_arn: str | None = None
    cpu: Integer | None = None
    memory: Integer | None = None


class ForeseenStop(Record, rename="camel"):
    """A task that would be told to stop, and why."""

    task: str | None = None
    service: str | None = None
    host: str | None = None
    reason: str | None = None


class ForeseenChange(Record, rename="camel"):
    """Anything else that would be in the timeline: its kind, what it concerns, and its sentence."""

    kind: str | None = None
    subject: str | None = None
    text: str | None = None


class ForeseenWait(Record, rename="camel"):
    """What a service would wait for then; `until` where time alone ends it."""

    service: str | None = None
    text: str | None = None
    until: Timestamp | None = None


class ForeseenOutlook(Record, rename="camel"):
    """For a service that would find no room: what each host says to its next task."""

    service: str | None = None
    placement: PlacementOutlook | None = None


class DryRun(Record, rename="camel"):
    """All that one write would do at once, until its scheduler has to wait for hosts or for time.

    Nothing of it was done. `turns` is how often controllers ran; `complete` is false where there
    was more to do than a dry run may take.
    """

    operation: str | None = None
    starts: list[ForeseenStart] | None = None
    stops: list[ForeseenStop] | None = None
    changes: list[ForeseenChange] | None = None
    waits: list[ForeseenWait] | None = None
    outlooks: list[ForeseenOutlook] | None = None
    turns: Integer | None = None
    complete: bool | None = None
