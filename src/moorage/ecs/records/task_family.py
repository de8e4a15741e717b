"""A family: the name under which task definitions are counted."""

from moorage.ground.record import Record


class TaskFamily(Record):
    """One family; `latest` is the highest revision ever given, and numbering goes on from it.

    `active` counts its ACTIVE revisions, `deleted_to` is the highest that was deleted. Where all of
    them were (`is_gone`) its name is not listed any more, and kept for the numbering alone.
    """

    account: str
    region: str
    name: str
    latest: int
    active: int = 0
    deleted_to: int = 0
    is_gone: bool = False

    @property
    def is_active(self) -> bool:
        """Whether at least one revision is ACTIVE."""
        return self.active > 0
