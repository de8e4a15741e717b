"""The form of everything that talks to the world without touching it: event in, instructions out."""

from collections.abc import Iterable, Mapping
from typing import Generic, Protocol, TypeVar

_E = TypeVar("_E", contravariant=True)
_I = TypeVar("_I", covariant=True)
_S = TypeVar("_S")


class Machine(Protocol[_E, _I]):
    """Holds state, is handed events (the past), answers instructions (the imperative)."""

    def handle(self, event: _E) -> Iterable[_I]:
        """Take one event in, change state, and say what is to be done now, in order."""
        ...


class Transitions(Generic[_S]):
    """A table of the moves that a status may make; anything else is a bug and asserts."""

    def __init__(self, moves: Mapping[_S, frozenset[_S]]) -> None:
        """Take the table: from each status, the statuses that may follow it."""
        self.moves = dict(moves)

    def allows(self, before: _S, after: _S) -> bool:
        """Whether `before` may become `after`; a status may always stay."""
        return before == after or after in self.moves.get(before, frozenset())

    def check(self, before: _S, after: _S) -> _S:
        """Return `after`; assert that the table allows the move."""
        assert self.allows(before, after), f"illegal move from {before} to {after}"
        return after
