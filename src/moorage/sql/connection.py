"""SQLite connections set as we want them, and what their errors mean."""

import sqlite3
from pathlib import Path

from moorage.sql.transaction import OpenRefused, StoreFailed

STATEMENTS_CACHED = 512
BUSY_SECONDS = 2.0
WRITER_CACHE_KIBIBYTES = 8_192
READER_CACHE_KIBIBYTES = 2_048
CHECKPOINT_PAGES = 1_000
WAL_BYTES_MAX = 64 * 2**20
FILE_MODE = 0o600

# Primary result codes (sqlite.org/rescode.html) after which nothing on the disk is sure.
FATAL_CODES = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SENTENCES = {
    sqlite3.SQLITE_FULL: "The disk under the database is full. Free some space and try again.",
    sqlite3.SQLITE_BUSY: "Another process holds the database's lock. Try again.",
    sqlite3.SQLITE_READONLY: "The database file may not be written to.",
    sqlite3.SQLITE_NOMEM: "The server is out of memory. Try again.",
}


def open_writer(path: Path | None) -> sqlite3.Connection:
    """The one connection that writes and checkpoints; None opens a database in memory."""
    if path is None:
        return _set(_connected(":memory:", uri=False), "synchronous=FULL")
    try:
        path.touch(mode=FILE_MODE, exist_ok=True)
    except OSError as error:
        raise OpenRefused(f"Cannot open the database {path}: {error.strerror}.") from error
    try:
        connection = _connected(str(path), uri=False)
        try:
            _set(connection, *_WRITER_PRAGMAS)
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise OpenRefused(f"Cannot open the database {path}: {error}.") from error
    if mode != "wal":
        connection.close()
        raise OpenRefused(f"The file system under {path} allows no write-ahead log.")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that neither writes nor checkpoints."""
    connection = _connected(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    return _set(connection, "query_only=ON", "wal_autocheckpoint=0", *_READER_PRAGMAS)


def code_of(error: BaseException) -> int:
    """The primary result code of SQLite's error; 0 where it has none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def failure_of(error: BaseException) -> StoreFailed:
    """The refusal that a caller is told for an error of the file; the error is its cause."""
    told = StoreFailed(_SENTENCES.get(code_of(error), f"The database failed: {error}."))
    told.__cause__ = error
    return told


_READER_PRAGMAS = ("temp_store=MEMORY", f"cache_size=-{READER_CACHE_KIBIBYTES}")
_WRITER_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"wal_autocheckpoint={CHECKPOINT_PAGES}",
    f"journal_size_limit={WAL_BYTES_MAX}",
    "temp_store=MEMORY",
    "trusted_schema=OFF",
    f"cache_size=-{WRITER_CACHE_KIBIBYTES}",
)


def _connected(name: str, *, uri: bool) -> sqlite3.Connection:
    return sqlite3.connect(
        name,
        uri=uri,
        isolation_level=None,  # we begin and commit ourselves
        cached_statements=STATEMENTS_CACHED,
        check_same_thread=False,  # opened by the caller's thread, used by ours alone
        timeout=BUSY_SECONDS,
    )


def _set(connection: sqlite3.Connection, *pragmas: str) -> sqlite3.Connection:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection
