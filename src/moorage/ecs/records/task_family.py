"""A family: the name under which task definitions are counted."""

from moorage.ground.record import Record


class TaskFamily(Record):
    """One family; `latest` is the highest revision ever given, and numbering goes on from it."""

    account: str
    region: str
    name: str
    latest: int
    active: int = 0

    @property
    def is_active(self) -> bool:
        """Whether at least one revision is ACTIVE."""
        return self.active > 0
