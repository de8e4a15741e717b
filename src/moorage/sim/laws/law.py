"""What a law is: it is shown everything, and says in a sentence what was broken."""

from typing import TYPE_CHECKING

from moorage.ground.record import Record
from moorage.sim.sight import Answered, Books, Commit, Happened

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
