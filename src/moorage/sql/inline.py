"""SQLite in memory on its caller's own thread: for worlds of one thread, such as the simulator.

The same batches, savepoints and failures as in `sqlite.py`; only who runs them differs. Where a
`pace` is set, works wait in their queue until it lets them run, some at a time; without one each
runs at once. `image` is all that is committed, so that another can be opened on it.
"""

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Condition
from typing import Any, TypeVar, cast

from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.sql.connection import open_writer
from moorage.sql.document import Table
from moorage.sql.job import Job, Queue
from moorage.sql.sqlite import BATCH_WORKS_MAX, SQLiteDatabase
from moorage.sql.transaction import StoreFailed, Transaction

_T = TypeVar("_T")
# Wraps the cursor on which everything is written: to look on, or to let a statement fail.
Lens = Callable[[sqlite3.Cursor], sqlite3.Cursor]


class InlineDatabase(SQLiteDatabase):
    """The peer of SQLiteDatabase that starts no thread."""

    def __init__(
        self,
        *,
        clock: Clock,
        chance: Chance,
        tables: Sequence[Table[Any]],
        image: bytes = b"",
        lens: Lens | None = None,
    ) -> None:
        """Begin empty, or with what the `image` of another held; raises OpenRefused."""
        self._image = image
        self._lens = lens
        self._pace: Callable[[], None] | None = None
        super().__init__(None, clock=clock, chance=chance, tables=tables)
        self._writes = self._reads = self._portions = _Portions()

    def write(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """Run a work that writes, in its turn."""
        return self._submitted(work, writes=True)

    def read(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """Run a work that reads, in its turn."""
        return self._submitted(work, writes=False)

    def look(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """The same as `read`."""
        return self.read(work)

    def paced(self, pace: Callable[[], None]) -> None:
        """From now on let works wait, and call `pace` for each: it sees to it that `turn` comes."""
        self._pace = pace

    def turn(self, works_max: int = BATCH_WORKS_MAX) -> bool:
        """Run at most so many of the works that wait, as one batch; whether more wait."""
        self._portions.left = works_max
        job = self._portions.take_waiting()
        if job is not None:
            self._run_batch(job)
        self._portions.left = BATCH_WORKS_MAX
        return self._portions.is_waiting

    def image(self) -> bytes:
        """All that is committed; what is not is rolled back."""
        if self._connection.in_transaction:
            self._connection.rollback()
            self._memory.clear()
        return self._connection.serialize()

    def close(self) -> None:
        """Refuse what waits, and let go of the database."""
        self._portions.drain(StoreFailed("The server is stopping."))
        self._let_go()

    def _submitted(self, work: Callable[[Transaction], _T], *, writes: bool) -> "Future[_T]":
        future = self._portions.submit(work, writes=writes)
        if self._pace is None:
            self.turn()
        elif not future.done():
            self._pace()
        return future

    def _open(self, path: Path | None) -> sqlite3.Connection:
        connection = open_writer(path)
        if self._image:
            connection.deserialize(self._image)
            self._image = b""
        return connection

    def _writing(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        cursor = connection.cursor()
        return cursor if self._lens is None else self._lens(cursor)

    def _start(self) -> None:
        """Start no thread."""


class _Alone:
    """In a lock's place where there is one thread."""

    def __enter__(self) -> bool:
        """Go in."""
        return True

    def __exit__(self, *_: object) -> None:
        """And out."""

    def notify_all(self) -> None:
        """Nobody else waits."""

    def wait(self, _seconds: float | None = None) -> bool:
        """Nobody else would ever answer."""
        raise AssertionError("the only thread waits for itself")


_ALONE = _Alone()


class _Answer(Future[_T]):
    """A future of one thread: it is answered before anybody waits, and needs no lock."""

    def __init__(self) -> None:
        """Wait for nothing yet; the lock that the library would make costs more than the rest."""
        self._condition = cast("Condition", _ALONE)
        self._state = "PENDING"
        self._result = None
        self._exception = None
        self._waiters: list[Any] = []
        self._done_callbacks: list[Callable[[Future[Any]], Any]] = []


class _Portions(Queue):
    """A queue of which no more than `left` are taken in one go."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.left = BATCH_WORKS_MAX

    @property
    def is_waiting(self) -> bool:
        """Whether a work waits."""
        return not self._jobs.empty()

    def future(self) -> "Future[Any]":
        """One without a lock."""
        return _Answer()

    def take_waiting(self) -> Job | None:
        """The next job, or None where none waits or the portion is eaten."""
        if self.left <= 0:
            return None
        self.left -= 1
        return super().take_waiting()

    def drain(self, error: StoreFailed) -> None:
        """Close with `error`, and fail with it all that waits."""
        while self.is_waiting and not self.is_closed:
            self.left = BATCH_WORKS_MAX
            super().drain(error)
        super().drain(error)
