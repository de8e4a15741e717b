"""Tags by which the owner of a service says what should happen when hosts fail, join or return.

AWS lets any tag pass, so a value that means nothing here is no error: it is ignored, and the
service says so in an event. `docs/reference/tags.md` lists them all; what an agent is told of
`moorage:fence` and `moorage:heal` stands in `rules.task.away`.
"""

from collections.abc import Iterable
from typing import Literal

from moorage.ecs.rules.task.away import FENCE_ON, FENCE_TAG, HEAL_OFF, HEAL_TAG, fences
from moorage.ground.record import Record
from moorage.shapes.ecs.tag import Tag

ON_HOST_LOSS = "moorage:on-host-loss"
REBALANCE = "moorage:rebalance"

OnHostLoss = Literal["replace", "wait"]
_ON_HOST_LOSS: dict[str, OnHostLoss] = {"replace": "replace", "wait": "wait"}
RebalanceWish = Literal["off", "zones", "hosts", "all"]
_REBALANCE: dict[str, RebalanceWish] = {
    "off": "off",
    "zones": "zones",
    "hosts": "hosts",
    "all": "all",
}
_ALLOWED: dict[str | None, tuple[str, ...]] = {
    ON_HOST_LOSS: tuple(_ON_HOST_LOSS),
    FENCE_TAG: (FENCE_ON, "false"),
    HEAL_TAG: ("on", HEAL_OFF),
    REBALANCE: tuple(_REBALANCE),
}


# The tags of services that mean something here.
HEEDED = frozenset(_ALLOWED)


class Wishes(Record):
    """What the tags of a service ask for; None and False where they say nothing.

    `ignored` are the tags whose value means nothing, each as `KEY=VALUE (allowed: VALUES)`.
    """

    on_host_loss: OnHostLoss | None = None
    fence: bool = False
    rebalance: RebalanceWish | None = None
    ignored: tuple[str, ...] = ()


_NONE = Wishes()


def wishes(tags: Iterable[Tag]) -> Wishes:
    """What these tags ask for; values are read without regard to case and surrounding blanks."""
    own = [tag for tag in tags if tag.key in _ALLOWED]
    if not own:
        return _NONE
    values = {tag.key or "": (tag.value or "").strip().lower() for tag in own}
    return Wishes(
        on_host_loss=_ON_HOST_LOSS.get(values.get(ON_HOST_LOSS, "")),
        fence=fences(own),
        rebalance=_REBALANCE.get(values.get(REBALANCE, "")),
        ignored=tuple(
            f"{tag.key}={tag.value or ''} (allowed: {', '.join(_ALLOWED[tag.key])})"
            for tag in own
            if values[tag.key or ""] not in _ALLOWED[tag.key]
        ),
    )
