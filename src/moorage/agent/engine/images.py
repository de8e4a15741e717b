"""Which images, and which stopped containers, may leave the host.

Amazon's agent: every 30 minutes, at most five images a cycle; stopped containers after three
hours. Here also: an image stays an hour after its last use, and for good while it is claimed; of
a service's stopped tasks three stay, so that a crash loop does not fill the host.
"""

from collections.abc import Iterable
from itertools import groupby

from moorage.agent.records.host import HostMemory
from moorage.agent.records.image import ImageRecord, ObservedImage
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Instant, between, hours, later, minutes

IMAGES_PERIOD = minutes(30)
IMAGES_REMOVED_MAX = 5
IMAGE_UNUSED_MIN = hours(1)
STOPPED_TASK_KEPT = hours(3)
STOPPED_TASKS_OF_SERVICE_MAX = 3
STOPPED_TASKS_MAX = 100


def in_use(tasks: Iterable[TaskRecord]) -> frozenset[str]:
    """The images, as written, of all tasks whose containers are still here."""
    return frozenset(c.image or "" for task in tasks for c in task.task.containers or ())


def claimed_digests(tasks: Iterable[TaskRecord], memory: HostMemory) -> frozenset[str]:
    """The digests that the server, or a task that is here, said must stay."""
    own = (
        digest
        for task in tasks
        for digest in (task.task.moorage.claimed_digests if task.task.moorage else None) or ()
    )
    return frozenset(memory.claimed_digests) | frozenset(own)


def removable(
    memory: HostMemory, tasks: Iterable[TaskRecord], listed: Iterable[ObservedImage], now: Instant
) -> list[ImageRecord]:
    """The images to remove in this cycle, longest unused first.

    None before the server has said what is claimed. Bytes that a kept image shares with another
    name are kept under both.
    """
    if not memory.claims_told:
        return []
    tasks = list(tasks)
    listed = list(listed)
    used = in_use(tasks) | frozenset(memory.claimed_images)
    claimed = claimed_digests(tasks, memory)
    kept = [r for r in memory.images if r.image in used or _digest(r) in claimed]
    held = {image.image_id for record in kept for image in listed if _is(image, record)}
    free = [
        record
        for record in memory.images
        if record not in kept
        and between(record.last_used_at, now) >= IMAGE_UNUSED_MIN
        and any(_is(image, record) and image.image_id not in held for image in listed)
    ]
    return sorted(free, key=lambda r: (r.last_used_at, r.image))[:IMAGES_REMOVED_MAX]


def vanished(memory: HostMemory, listed: Iterable[ObservedImage]) -> list[str]:
    """The images that are remembered and are not on the host any more."""
    listed = list(listed)
    return [r.image for r in memory.images if not any(_is(image, r) for image in listed)]


def _digest(record: ImageRecord) -> str:
    return record.digest or record.image.partition("@")[2]


def _is(image: ObservedImage, record: ImageRecord) -> bool:
    return record.reference == image.image_id or record.reference in image.references


def disposable(tasks: Iterable[TaskRecord], now: Instant) -> frozenset[str]:
    """The ARNs of the tasks whose stopped containers may go: settled, and old or too many."""
    settled = [task for task in tasks if task.settled and task.stopped_at is not None]
    settled.sort(key=lambda task: (task.stopped_at or 0, task.arn), reverse=True)
    gone = {task.arn for task in settled if _old(task, now)}
    gone |= {task.arn for task in settled[STOPPED_TASKS_MAX:]}
    by_service = sorted(settled, key=_service)
    for service, group in groupby(by_service, key=_service):
        if service:
            gone |= {task.arn for task in list(group)[STOPPED_TASKS_OF_SERVICE_MAX:]}
    return frozenset(gone)


def next_disposal(tasks: Iterable[TaskRecord]) -> Instant | None:
    """When the next stopped task has been kept long enough."""
    return min(
        (
            later(task.stopped_at, STOPPED_TASK_KEPT)
            for task in tasks
            if task.settled and task.stopped_at is not None
        ),
        default=None,
    )


def _old(task: TaskRecord, now: Instant) -> bool:
    return task.stopped_at is not None and between(task.stopped_at, now) >= STOPPED_TASK_KEPT


def _service(task: TaskRecord) -> str:
    """The service that the task is of, or "" for none."""
    extras = task.task.moorage
    return (extras.service_name if extras else None) or task.task.service_name or ""
