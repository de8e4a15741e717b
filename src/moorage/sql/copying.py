"""A copy of the whole database as one SQLite file, made while writes go on, and read afterwards.

SQLite copies itself page by page on the connection that writes: between two steps commits go on, a
page that was copied already is copied again when it changes, and no reader's snapshot keeps the
log from being emptied. PostgreSQL is read in one snapshot, record by record, into a file of the
same form: a backup looks the same whatever it was made of, and either database can be made of it.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as core

from moorage.ground.chance import Chance
from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.sql.document import Table
from moorage.sql.lease import LEASES
from moorage.sql.ledger import ADD_KEY, KEYS, MARK_NOW, MARK_SCHEMA, READ_MARK, SET_MARK
from moorage.sql.migrate import migrate
from moorage.sql.statement import Statement
from moorage.sql.transaction import StoreFailed, Transaction

PAGES_AT_ONCE = 256
FILE_MODE = 0o600
_ALL_KEYS = Statement(core.select(KEYS.c.name, KEYS.c.key))
_DROP_KEY = Statement(core.delete(KEYS).where(KEYS.c.name == core.bindparam("name")))

# How much of how much is done; False ends the copy.
Told = Callable[[int, int], bool]


class CopyFailed(StoreFailed):
    """The copy could not be made, or cannot be read; the database itself is untouched."""


class Copy(Record):
    """What a copy says of itself: its schema, and the time of the last commit in it."""

    schema: int
    last_commit: Instant


def copy_pages(source: sqlite3.Connection, path: Path, between: Told) -> None:
    """Copy the database of the writing connection to a new file.

    It is not forced to the disk: who writes must not wait for that (`sync_copy`). `between` is
    called after each PAGES_AT_ONCE pages and may write on `source`. Raises CopyFailed.
    """

    def step(_status: int, remaining: int, total: int) -> None:
        if not between(total - remaining, total):
            raise CopyFailed("The copy of the database was broken off.")

    _make(path)
    with _naming(path):
        target = _opened(path)
        try:
            source.backup(target, pages=PAGES_AT_ONCE, progress=step)
        finally:
            target.close()


def copy_rows(source: Transaction, path: Path, tables: Sequence[Table[Any]], told: Told) -> None:
    """Write all that `source` sees to a new SQLite file. Raises CopyFailed."""
    _make(path)
    with _naming(path):
        target = _opened(path)
        try:
            cursor = target.cursor()
            cursor.execute("BEGIN")
            tx = Transaction(cursor, "sqlite", source.now, source.chance, writable=True)
            migrate(tx, tables)
            pour(source, tx, tables, told)
            tx.run(SET_MARK, mark=MARK_NOW, new=_mark(source, MARK_NOW))
            cursor.execute("COMMIT")
        finally:
            target.close()


def pour(
    source: Transaction, target: Transaction, tables: Sequence[Table[Any]], told: Told
) -> None:
    """Put all records and keys that `source` sees into an empty `target`. Raises CopyFailed."""
    every = (LEASES, *tables)
    for done, table in enumerate(every):
        if not told(done, len(every)):
            raise CopyFailed("The copy of the database was broken off.")
        for record in table.query().all(source):
            table.put(target, record)
            target.known.clear()  # each comes once, and there may be millions
    for name, key in source.rows(_ALL_KEYS):
        target.run(_DROP_KEY, name=name)
        target.run(ADD_KEY, name=name, key=bytes(key))
    told(len(every), len(every))


def check_copy(path: Path) -> Copy:
    """Look whether a copy is whole. Raises CopyFailed."""
    with _naming(path), _immutable(path) as connection:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise CopyFailed(f"The database {path} is damaged: {found}.")
        tx = _reading(connection, None)
        return Copy(
            schema=_mark(tx, MARK_SCHEMA),
            last_commit=Instant(_mark(tx, MARK_NOW)),
        )


@contextmanager
def reading_copy(path: Path, chance: Chance) -> Iterator[Transaction]:
    """One read of a copy that nobody writes to. Raises CopyFailed."""
    with _naming(path), _immutable(path) as connection:
        yield _reading(connection, chance)


def _reading(connection: sqlite3.Connection, chance: Chance | None) -> Transaction:
    # Whoever only reads draws nothing by chance.
    return Transaction(connection.cursor(), "sqlite", Instant(0), chance, writable=False)  # type: ignore[arg-type]


def _mark(tx: Transaction, name: str) -> int:
    rows = tx.rows(READ_MARK, name=name)
    return int(rows[0][0]) if rows else 0


def _make(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, FILE_MODE))
    except OSError as error:
        raise CopyFailed(f"Cannot make {path}: {error.strerror}.") from error


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    # A copy that is not finished is thrown away: it needs neither journal nor sync on its way.
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    return connection


@contextmanager
def _immutable(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro&immutable=1",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CopyFailed(f"The copy {path} failed: {error}.") from error


def sync_copy(path: Path) -> None:
    """Return when a copy and its name are on the disk. Raises CopyFailed."""
    try:
        for place in (path, path.parent):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise CopyFailed(f"The copy {path} did not reach the disk: {error.strerror}.") from error
