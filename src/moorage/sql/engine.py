"""Port Database, and the one function that opens one from a URL."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar

from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.sql.copying import Told
from moorage.sql.document import Table
from moorage.sql.sqlite import SQLiteDatabase
from moorage.sql.transaction import Change, OpenRefused, StoreFailed, Transaction

_T = TypeVar("_T")
Listener = Callable[[Sequence[Change]], None]

SQLITE = "sqlite://"
MEMORY = ":memory:"
POSTGRESQL = ("postgresql://", "postgres://")


class Database(Protocol):
    """Where every fact is kept. Works run in threads of the database; futures bring the answers.

    Only `look` may run a work in the caller's thread.
    """

    def write(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """Run a work that writes; the future is done once it is committed and durable.

        A work that raises leaves no row, and its future raises the same. StoreFailed where the
        database could not keep it. The work may be run more than once.
        """
        ...

    def read(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """Run a work that only reads; it sees every write that was acknowledged before."""
        ...

    def look(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """`read`, for a work that is likely to be short and bears being run twice.

        It may be run by the caller's own thread, within a bound of a few milliseconds: for callers
        to whom the way to another thread and back costs more than such a read.
        """
        ...

    def watch(self, listener: Callable[[Sequence[Change]], None]) -> None:
        """Tell `listener` what each commit woke, from a thread of the database; it must not wait.

        It is told after the commit, and before the commit's futures are done.
        """
        ...

    def copy(self, path: Path, told: Told) -> "Future[None]":
        """Make a copy of all that is committed, as one SQLite file at `path`, while writes go on.

        Every write that was acknowledged before is in it. `told` hears of its progress from a
        thread of the database, must not wait, and ends the copy by False; CopyFailed then, and
        where the file cannot be written. One copy at a time; `copying.sync_copy` makes it last.
        """
        ...

    def failure(self) -> StoreFailed | None:
        """Why the database takes no more writes for good, or None: the process is then to end."""
        ...

    def close(self) -> None:
        """Finish what is queued, and let go of the database."""
        ...


def open_database(
    url: str, *, clock: Clock, chance: Chance, tables: Sequence[Table[Any]]
) -> Database:
    """Open, and bring up to date, the database at a URL; raises OpenRefused.

    `sqlite:////absolute/path.db`, `sqlite://:memory:`, or a `postgresql://` URL as libpq reads it.
    """
    if url.startswith(SQLITE):
        path = url.removeprefix(SQLITE)
        file = None if path == MEMORY else Path(path.removeprefix("/"))
        return SQLiteDatabase(file, clock=clock, chance=chance, tables=tables)
    if url.startswith(POSTGRESQL):
        # Loaded only when spoken: who keeps to SQLite carries no driver for PostgreSQL.
        adapter = import_module("moorage.sql.postgresql").PostgreSQLDatabase
        database: Database = adapter(url, clock=clock, chance=chance, tables=tables)
        return database
    scheme = url.partition(":")[0]
    raise OpenRefused(f"A database URL begins with sqlite:// or postgresql://, not {scheme!r}.")
