"""What a host is to do about a service's task while it cannot reach the server.

A tag of the service says it: `moorage:fence` = `true` has the task stopped, so that its replacement
elsewhere is never beside it; else an ended container is run again where it is, unless
`moorage:heal` is `off`. The host is told with the task, since it cannot be told later.
"""

from collections.abc import Iterable

from moorage.acs.task_messages import CAPABILITY_OF_FENCING
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ground.instant import Duration
from moorage.ground.record import Record
from moorage.shapes.ecs.tag import Tag

HEAL_TAG = "moorage:heal"
HEAL_OFF = "off"
FENCE_TAG = "moorage:fence"
FENCE_ON = "true"


class Absence(Record):
    """After how long without the server a task is healed, or fenced; at most one of them."""

    heal_after: Duration | None = None
    fence_after: Duration | None = None


def heals(tags: Iterable[Tag]) -> bool:
    """Whether ended containers of a service with these tags are run again in place."""
    own = list(tags)
    return not fences(own) and _value(own, HEAL_TAG) != HEAL_OFF


def fences(tags: Iterable[Tag]) -> bool:
    """Whether the tasks of a service with these tags are stopped by a host that lost the server."""
    return _value(tags, FENCE_TAG) == FENCE_ON


def can_fence(instance: ContainerInstance) -> bool:
    """Whether this host stops what is to be fenced: its agent is ours, and new enough."""
    return instance.attribute(CAPABILITY_OF_FENCING) is not None


def absence(tags: Iterable[Tag] | None, *, heal_after: Duration, fence_after: Duration) -> Absence:
    """What holds for a task of a service with these tags; None for a task of no service."""
    if tags is None:
        return Absence()
    own = list(tags)
    if fences(own):
        return Absence(fence_after=fence_after)
    return Absence(heal_after=heal_after if heals(own) else None)


def _value(tags: Iterable[Tag], key: str) -> str:
    found = next((tag.value or "" for tag in tags if tag.key == key), "")
    return found.strip().lower()
