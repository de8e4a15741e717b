"""Pulls: one for all that wait for the same image, and none for a digest that is here already.

From PayloadReceived to CreateContainer there is no round trip at all for an image by digest that
this agent has had before: it is taken to be here, and if it is not, the failed creation says so
(`image_missing`) and it is pulled after all. Any other image costs one PullImage.
"""

from moorage.acs.task_messages import RegistryAuthentication
from moorage.agent.engine.instructions import PullImage
from moorage.agent.records.image import ImageRecord
from moorage.ground.instant import Duration, Instant, hours, later, seconds
from moorage.ground.record import Record, evolve

PULL_TRIES_MAX = 5
PULL_BACK_OFF_FIRST = seconds(1)
# Amazon's agent gives a pull as long.
PULL_DEADLINE = hours(2)


class Pull(Record):
    """A pull that is out (`deadline`) or waits for its next try (`retry_at`)."""

    image: str
    authentication: RegistryAuthentication | None = None
    tries: int = 1
    deadline: Instant | None = None
    retry_at: Instant | None = None


class Pulls:
    """The images that are on their way, and those that are known to be here."""

    def __init__(self, images: tuple[ImageRecord, ...] = ()) -> None:
        """Begin with the images that the checkpoint remembers."""
        self.under_way: dict[str, Pull] = {}
        self.known: dict[str, ImageRecord] = {record.image: record for record in images}

    def here(self, image: str) -> ImageRecord | None:
        """The image, if it is named by a digest and was here when last heard of."""
        record = self.known.get(image) if "@" in image else None
        return record if record is not None and record.here else None

    def want(
        self, image: str, authentication: RegistryAuthentication | None, now: Instant
    ) -> PullImage | None:
        """The instruction that brings the image; None where it is on its way already."""
        if image in self.under_way:
            return None
        pull = Pull(image=image, authentication=authentication, deadline=later(now, PULL_DEADLINE))
        self.under_way[image] = pull
        return _instruction(pull)

    def finished(self, record: ImageRecord) -> None:
        """The image is here."""
        self.under_way.pop(record.image, None)
        self.known[record.image] = record

    def failed(self, image: str, *, transient: bool, now: Instant) -> bool:
        """Whether it will be tried again; else it is under way no more."""
        pull = self.under_way.get(image)
        if pull is None:
            return False
        if pull.deadline is None:
            return True  # a second word on the same try
        if not transient or pull.tries >= PULL_TRIES_MAX:
            del self.under_way[image]
            return False
        wait = Duration(PULL_BACK_OFF_FIRST << (pull.tries - 1))
        self.under_way[image] = evolve(pull, deadline=None, retry_at=later(now, wait))
        return True

    def void(self) -> None:
        """No completion will come for what is out: all are due at once."""
        for image, pull in self.under_way.items():
            self.under_way[image] = evolve(pull, deadline=None, retry_at=Instant(0))

    def again(self, now: Instant, wanted: frozenset[str]) -> list[PullImage]:
        """The pulls whose next try is due; those that nobody wants any more are dropped."""
        again: list[PullImage] = []
        for image, pull in list(self.under_way.items()):
            due = pull.retry_at if pull.deadline is None else pull.deadline
            if due is None or due > now:
                continue
            if image not in wanted:
                del self.under_way[image]
                continue
            self.under_way[image] = evolve(
                pull, tries=pull.tries + 1, deadline=later(now, PULL_DEADLINE), retry_at=None
            )
            again.append(_instruction(pull))
        return again

    def next_due(self) -> Instant | None:
        """When `again` has something to say."""
        return min(
            (due for p in self.under_way.values() if (due := p.retry_at or p.deadline) is not None),
            default=None,
        )

    def forget(self, image: str) -> None:
        """The image is not here, whatever was known."""
        self.known.pop(image, None)

    def leaving(self, image: str, now: Instant) -> None:
        """It is being removed: not to be relied on, yet remembered until it is seen to be gone."""
        self.known[image] = evolve(self.known[image], last_used_at=now, here=False)

    def used(self, images: frozenset[str], now: Instant) -> None:
        """These are in use now."""
        for image in images & self.known.keys():
            self.known[image] = evolve(self.known[image], last_used_at=now)

    def records(self) -> tuple[ImageRecord, ...]:
        """What the checkpoint is to remember."""
        return tuple(self.known.values())


def _instruction(pull: Pull) -> PullImage:
    return PullImage(image=pull.image, registry_authentication=pull.authentication)
