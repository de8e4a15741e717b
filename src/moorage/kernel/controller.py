"""@controller: one key in, converge what it names, say when to look again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from moorage.ground.instant import Instant
from moorage.kernel.call import Turn
from moorage.sql.transaction import Transaction

Converge = Callable[[Turn, str], Instant | None]
Keys = Callable[[Transaction], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """A controller as the tables hold it.

    `kind` is the kind of change that wakes it; `keys` answers every key there is, each of which
    is due once when the server starts.
    """

    name: str
    kind: str
    body: Converge
    keys: Keys

    def __call__(self, turn: Turn, key: str) -> Instant | None:
        """Converge `key` in the turn's transaction; answer when to look again, if ever."""
        return self.body(turn, key)


def controller(*, kind: str, keys: Keys) -> Callable[[Converge], Controller]:
    """Mark a function `(turn, key) -> Instant | None` as the controller of one kind of key.

    Level, not edge: the body reads the state and converges; run twice, it changes nothing more.
    """

    def mark(body: Converge) -> Controller:
        return Controller(name=body.__name__, kind=kind, body=body, keys=keys)

    return mark
