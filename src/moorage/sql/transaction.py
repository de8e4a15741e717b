"""What a unit of work is handed, how it may fail, and how it is tried again.

    Conflict        transient: run the work again; never seen above this room
    StoreFailed     503: the database cannot keep this now (full, lost, stopped, or broken for good)
    OpenRefused     the database cannot be opened: taken, too new, or none

A work is a function of one Transaction. It reads and writes rows and nothing else, so that it can
be run again; it may be run several times and its last run alone counts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar

from moorage.ground.chance import Chance
from moorage.ground.fault import Unavailable
from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.sql.ledger import ADD_KEY, KEY_BYTES, READ_KEY
from moorage.sql.statement import Binding, Dialect, Statement, bound, plain

ATTEMPTS_MAX = 12
BACKOFF_SECONDS_FIRST = 0.004
BACKOFF_SECONDS_MAX = 0.5
REMEMBERED_MAX = 64
# Of some kilobytes each.
KNOWN_MAX = 4096

_T = TypeVar("_T")
Row = tuple[Any, ...]
Known = dict[tuple[str, tuple[Any, ...]], Any]


class Change(Record):
    """A key of a controller that a commit woke."""

    kind: str
    key: str


class Conflict(Exception):  # noqa: N818 - the house's word for a transient failure
    """The work lost a race and is to be run again.

    `outcome` is what the caller gets where every attempt ends so.
    """

    def __init__(self, message: str = "", outcome: Exception | None = None) -> None:
        """Name the race that was lost."""
        super().__init__(message)
        self.outcome = outcome or Unavailable(
            "The database is too busy with conflicting requests. Try again."
        )


class StoreFailed(Unavailable):
    """The database cannot keep or give this now; nothing was acknowledged."""


class OpenRefused(Unavailable):
    """The database cannot be opened; the message says why and what to do."""


class Cursor(Protocol):
    """What sqlite3 and psycopg cursors have in common."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement wrote."""
        ...

    def execute(self, text: str, values: Mapping[str, object], /) -> Any:
        """Run one statement."""
        ...

    def fetchall(self) -> list[Row]:
        """All rows that the last statement gave."""
        ...


class Memory:
    """What one write leaves to the next, where writes run one after another and nobody else writes.

    `things` are what stores keep up under a name, `known` the records that were written or read last.
    """

    __slots__ = ("known", "things")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.things: dict[str, Any] = {}
        self.known: Known = {}

    def clear(self) -> None:
        """Forget everything: rows alone decide next."""
        self.things.clear()
        self.known.clear()

    def take_back(self, tx: "Transaction") -> None:
        """Forget what a work has changed that came to nothing."""
        for key in tx.touched:
            self.things.pop(key, None)
        if tx.wrote:
            self.known.clear()

    def bound(self) -> None:
        """Forget the records that were learned first, once they are too many."""
        excess = len(self.known) - KNOWN_MAX
        if excess > 0:
            for place in list(islice(self.known, max(excess, KNOWN_MAX // 4))):
                del self.known[place]


class Transaction:
    """One unit of work on the database: what it reads is one state, what it writes is one change.

    `now` is fixed when it opens and never goes back from one commit to the next. A transaction
    is of no use once its work has returned. `cause` says which call it serves, "" where it serves
    none; `noted` is what the stores say happened in it, in order, for whoever runs the work.
    `known` are records as they are now, by table and key, None for one that is not there: those that
    it has read or written, and those of writes before it where writes run one after another.
    """

    __slots__ = (
        *("_cursor", "_memory", "_wakes", "cause", "chance", "dialect", "known", "noted", "now"),
        *("touched", "writable", "wrote"),
    )

    def __init__(
        self,
        cursor: Cursor,
        dialect: Dialect,
        now: Instant,
        chance: Chance,
        *,
        writable: bool,
        memory: "Memory | None" = None,
    ) -> None:
        """Open on a cursor whose connection has begun a transaction."""
        self._cursor: Cursor | None = cursor
        self._memory = memory
        self.touched: set[str] = set()
        self._wakes: dict[tuple[str, str], None] = {}
        self.cause = ""
        self.noted: list[Any] = []
        self.known: Known = {} if memory is None else memory.known
        self.dialect = dialect
        self.now = now
        self.chance = chance
        self.writable = writable
        self.wrote = False

    def rows(self, statement: Statement, /, **values: object) -> list[Row]:
        """All rows that a statement gives; raises Validation for a text that cannot be kept."""
        return self.fetch(statement, bound(values))

    def run(self, statement: Statement, /, **values: object) -> int:
        """Run a statement that writes; returns how many rows it wrote."""
        return self.execute(statement, bound(values))

    def fetch(self, statement: Statement, values: Mapping[str, Binding]) -> list[Row]:
        """`rows` for values that were made plain before."""
        cursor = self._send(statement, values)
        return cursor.fetchall()

    def execute(self, statement: Statement, values: Mapping[str, Binding]) -> int:
        """`run` for values that were made plain before."""
        assert self.writable, "a read does not write"
        self.wrote = True
        return self._send(statement, values).rowcount

    def _send(self, statement: Statement, values: Mapping[str, Binding]) -> Cursor:
        cursor = self._cursor
        assert cursor is not None, "a transaction does not outlive its work"
        text, literals = statement.compiled(self.dialect)
        cursor.execute(text, {**literals, **values} if literals else values)
        return cursor

    def wake(self, kind: str, key: str) -> None:
        """Say that the controller key (`kind`, `key`) is to be looked at after the commit."""
        assert self.writable, "a read wakes nobody"
        self._wakes[kind, str(plain(key))] = None

    def take_woken(self) -> Sequence[tuple[str, str]]:
        """The keys that were woken so far, and forget them: for who converges them in here."""
        woken = list(self._wakes)
        self._wakes.clear()
        return woken

    @property
    def remembers(self) -> bool:
        """Whether anything is remembered from one write to the next: not by who only reads."""
        return self._memory is not None

    def recall(self, key: str) -> Any:
        """What a write before this one, or this one, left under `key`; None where nothing is left.

        A cache of what the rows say: it may be gone at any time.
        """
        return self._memory.things.get(key) if self._memory is not None else None

    def remember(self, key: str, what: object) -> None:
        """Leave `what` for later writes; it is forgotten where this one comes to nothing.

        Of REMEMBERED_MAX things the one that was left first makes way.
        """
        assert self._memory is not None, "it remembers nothing"
        self.touched.add(key)
        things = self._memory.things
        things[key] = what
        if len(things) > REMEMBERED_MAX:
            del things[next(iter(things))]

    def touch(self, key: str) -> None:
        """Say that what is remembered under `key` is being changed by what this write writes."""
        self.touched.add(key)

    def key(self, name: str) -> bytes:
        """The secret key of 32 bytes that the database keeps under `name`.

        It is made at first use in a write; a read may ask only for a key that is there.
        """
        rows = self.fetch(READ_KEY, {"name": name})
        if not rows:
            assert self.writable, f"the key {name!r} was never made, and a read makes none"
            self.execute(ADD_KEY, {"name": name, "key": self.chance.octets(KEY_BYTES)})
            rows = self.fetch(READ_KEY, {"name": name})
        return bytes(rows[0][0])

    def close(self) -> Sequence[tuple[str, str]]:
        """End the use of this transaction; returns the keys that it woke, each once, in order."""
        self._cursor = None
        return list(self._wakes)


Work = Callable[[Transaction], _T]


def backoffs(chance: Chance) -> Iterator[float]:
    """The seconds to wait before each further attempt: doubling, jittered, ATTEMPTS_MAX - 1."""
    for attempt in range(ATTEMPTS_MAX - 1):
        longest = min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_FIRST * 2**attempt)
        yield chance.uniform(longest / 2, longest)


def attempt(once: Callable[[], _T], chance: Chance, wait: Callable[[float], object]) -> _T:
    """Run `once` until it raises no Conflict, waiting in between by `wait`; bounded.

    Raises the last Conflict's outcome where no attempt got through.
    """
    for pause in backoffs(chance):
        try:
            return once()
        except Conflict:
            wait(pause)
    try:
        return once()
    except Conflict as conflict:
        raise conflict.outcome from conflict
