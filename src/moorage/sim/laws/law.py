"""What a law is: it is shown everything, and says in a sentence what was broken."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from moorage.ecs.records.task import Task
from moorage.ground.record import Record
from moorage.sim.sight import Answered, Books, Commit, Happened, Row

if TYPE_CHECKING:
    from moorage.sim.scene import Scene


class Broken(Record):
    """A law that was broken: which, when (microseconds), and how."""

    law: str
    at: int
    what: str


class Law:
    """One invariant; a new one for each world. A law keeps books of its own, and changes nothing."""

    name = ""

    def __init__(self, scene: "Scene") -> None:
        """Look at one world."""
        self.scene = scene
        self.books: Books = scene.plane.sight

    def committed(self, commit: Commit) -> None:
        """The control plane has committed."""

    def happened(self, happened: Happened) -> None:
        """Something has happened to a container."""

    def asking(self, step: int, operation: str, asked: dict[str, object]) -> None:
        """A user is about to ask."""

    def answered(self, answered: Answered) -> None:
        """A user got an answer, or none."""

    def restarted(self) -> None:
        """A server has started on what another one left."""

    def ended(self) -> None:
        """All is over, and calm."""

    def broken(self, what: str) -> None:
        """Say what was broken; it is said once."""
        self.scene.report(self.name, what)


def begun(commit: Commit) -> Iterator[Task]:
    """The tasks that a commit gave a host: new ones, and those that have waited for one."""
    for row in commit.rows:
        if row.table != "tasks" or row.after is None or not row.after.instance:
            continue
        if row.before is None or not row.before.instance:
            yield row.after


def row_of(commit: Commit, arn: str) -> Row | None:
    """What a commit wrote of a record with an ARN: then who acted may have seen it otherwise."""
    return next((row for row in commit.rows if getattr(row.after, "arn", "") == arn), None)
