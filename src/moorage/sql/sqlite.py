"""SQLite: one thread writes, with group commit; at most four connections read.

Each write runs in a savepoint of the open batch. Answers and woken keys leave only after the
COMMIT, which is durable (WAL, synchronous=FULL). The writer alone checkpoints: SQLite before
3.51.3 may corrupt a log that two connections write and reset at once (sqlite.org/wal.html).
A database in memory has no second connection: its reads take their turn among the writes.
"""

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.instant import Instant
from moorage.sql.claim import Claim
from moorage.sql.connection import (
    FATAL_CODES,
    WAL_BYTES_MAX,
    code_of,
    failure_of,
    open_reader,
    open_writer,
)
from moorage.sql.copying import CopyFailed, Told, copy_pages
from moorage.sql.document import Table
from moorage.sql.glance import Glance
from moorage.sql.job import Job, Queue, fail_alike
from moorage.sql.ledger import MARK_NOW, READ_MARK, SET_MARK
from moorage.sql.migrate import migrate
from moorage.sql.transaction import (
    ATTEMPTS_MAX,
    Change,
    Conflict,
    Memory,
    OpenRefused,
    StoreFailed,
    Transaction,
)

BATCH_WORKS_MAX = 256
BATCH_MICROSECONDS_MAX = 20_000
# Each thread more costs every read more hand-overs of the interpreter than it saves in waiting:
# with four, DescribeTasks of ten tasks was a third slower than with two.
READERS = 2

_T = TypeVar("_T")
_Wakes = dict[tuple[str, str], None]
Listener = Callable[[Sequence[Change]], None]


class SQLiteDatabase:
    """Adapter of port Database on one SQLite file, or on memory where `path` is None."""

    def __init__(
        self, path: Path | None, *, clock: Clock, chance: Chance, tables: Sequence[Table[Any]]
    ) -> None:
        """Open the file, bring its schema up to date, start the threads; raises OpenRefused."""
        self._clock = clock
        self._chance = chance
        self._path = path
        self._listeners: tuple[Listener, ...] = ()
        self._failure: StoreFailed | None = None
        self._last = Instant(0)
        # One thread writes: what a work left here is true for the next, unless it was rolled back.
        self._memory = Memory()
        self._copies: list[tuple[Path, Told, Future[None]]] = []
        self._is_copying = False
        self._claim = None if path is None else Claim(path)
        try:
            self._connection = self._open(path)
            self._cursor = self._writing(self._connection)
            self._prepare(tables)
            readers = [] if path is None else [open_reader(path) for _ in range(READERS)]
            self._glance = None if path is None else Glance(path)
        except BaseException:
            self._let_go()
            raise
        self._log_bytes_max = WAL_BYTES_MAX
        self._gate = Event()  # closed while the log is emptied by force
        self._gate.set()
        self._writes = Queue()
        self._reads = Queue() if readers else self._writes
        self._writer = Thread(target=self._write_on, name="sql-write", daemon=True)
        self._readers = [
            Thread(target=self._read_on, args=(reader,), name=f"sql-read-{number}", daemon=True)
            for number, reader in enumerate(readers)
        ]
        self._start()

    def _open(self, path: Path | None) -> sqlite3.Connection:
        """The connection that writes; `inline.py` begins from bytes."""
        return open_writer(path)

    def _writing(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        """The cursor on which everything is written; `inline.py` lets others look on."""
        return connection.cursor()

    def _start(self) -> None:
        """Begin to take works; `inline.py` takes them on its caller's thread."""
        for thread in (self._writer, *self._readers):
            thread.start()

    def write(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """Run a work that writes, in its turn."""
        return self._writes.submit(work, writes=True)

    def read(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """Run a work that reads, on the next free connection."""
        return self._reads.submit(work, writes=False)

    def look(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """Run a work that reads: here and now where it is short, else as `read` does."""
        job = Job(work, writes=False)
        if self._glance is not None and self._gate.is_set() and self._glance.run(job, self._seen):
            job.begin()
            job.answer()
            return job.future
        return self.read(work)

    def watch(self, listener: Listener) -> None:
        """Tell `listener` what each commit woke."""
        self._listeners = (*self._listeners, listener)

    def copy(self, path: Path, told: Told) -> "Future[None]":
        """Copy all pages on the connection that writes, with batches of writes in between."""
        copying: Future[None] = Future()

        def ask(_tx: Transaction) -> None:
            self._copies.append((path, told, copying))

        asked = self._writes.submit(ask, writes=True)
        asked.add_done_callback(lambda done: fail_alike(done, copying))
        return copying

    def failure(self) -> StoreFailed | None:
        """Why no more is written, or None."""
        return self._failure

    def close(self) -> None:
        """Finish what is queued and close; the writer, last, empties the log into the file."""
        self._reads.close()
        if self._glance is not None:
            self._glance.close()
            self._glance = None
        for thread in self._readers:
            thread.join()
        self._writes.close()
        self._writer.join()
        self._let_go()

    def _prepare(self, tables: Sequence[Table[Any]]) -> None:
        def bring_up(tx: Transaction) -> int:
            migrate(tx, tables)
            return int(tx.rows(READ_MARK, name=MARK_NOW)[0][0])

        try:
            self._cursor.execute("BEGIN IMMEDIATE")
            self._last = Instant(bring_up(self._transaction(self._cursor, writes=True)))
            self._cursor.execute("COMMIT")
        except sqlite3.Error as error:
            raise OpenRefused(f"Cannot open the database {self._path}: {error}.") from error

    def _let_go(self) -> None:
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    def _seen(self, cursor: sqlite3.Cursor) -> Transaction:
        return self._transaction(cursor, writes=False)

    def _transaction(self, cursor: sqlite3.Cursor, *, writes: bool) -> Transaction:
        now = max(self._clock.now(), self._last)
        if writes:
            self._last = now
        memory = self._memory if writes else None
        return Transaction(cursor, "sqlite", now, self._chance, writable=writes, memory=memory)

    # Writing

    def _write_on(self) -> None:
        try:
            for job in iter(self._writes.take, None):
                self._run_batch(job)
        finally:
            # Reached early only by a bug: then no caller may be left waiting.
            self._refuse(self._failure or StoreFailed("The server is stopping."))

    def _run_batch(self, first: Job) -> None:
        jobs: list[Job] = []
        wakes: _Wakes = {}
        try:
            wrote = self._fill_and_commit(first, jobs, wakes)
        except sqlite3.Error as error:
            self._abandon(jobs, error)
            return
        try:
            if wakes:
                changes = [Change(kind=kind, key=key) for kind, key in wakes]
                for listener in self._listeners:
                    listener(changes)
        finally:
            for job in jobs:
                job.answer()
        if wrote and self._path is not None:
            self._bound_log(self._path)
        while self._copies:
            self._copy(*self._copies.pop(0))

    def _copy(self, path: Path, told: Told, copying: "Future[None]") -> None:
        """Make one copy; whatever waits to be written is written between its steps."""

        def between(done: int, total: int) -> bool:
            # A database in memory would begin its copy anew with each write.
            job = None if self._path is None else self._writes.take_waiting()
            if job is not None:
                self._run_batch(job)
            return told(done, total) and self._failure is None and not self._writes.is_closed

        if copying.done():
            return  # the batch in which it was asked for was lost, and that was told already
        if self._is_copying:
            copying.set_exception(CopyFailed("A copy of the database is being made already."))
            return
        self._is_copying = True
        try:
            copy_pages(self._connection, path, between)
        except CopyFailed as failure:
            copying.set_exception(failure)
        else:
            copying.set_result(None)
        finally:
            self._is_copying = False

    def _fill_and_commit(self, first: Job, jobs: list[Job], wakes: _Wakes) -> bool:
        """Run what is queued, up to the bounds of a batch, and commit; whether rows changed."""
        execute = self._cursor.execute
        monotonic = self._clock.monotonic
        until = monotonic() + BATCH_MICROSECONDS_MAX
        written = self._connection.total_changes
        job: Job | None = first
        while job is not None:
            if job.begin():
                jobs.append(job)
                if len(jobs) == 1:
                    execute("BEGIN IMMEDIATE")
                self._run_job(job, wakes)
            full = len(jobs) >= BATCH_WORKS_MAX or monotonic() >= until
            job = None if full else self._writes.take_waiting()
        if not jobs:
            return False
        wrote = self._connection.total_changes != written
        if wrote:
            execute(_MARK_NOW, {"mark": MARK_NOW, "new": self._last})
        execute("COMMIT")
        return wrote

    def _run_job(self, job: Job, wakes: _Wakes) -> None:
        for _ in range(ATTEMPTS_MAX):
            if job.writes:
                self._run_in_savepoint(job, wakes)
            else:
                self._run_in_memory(job)
            if not isinstance(job.error, Conflict):
                return
        assert isinstance(job.error, Conflict)
        job.error = job.error.outcome

    def _run_in_savepoint(self, job: Job, wakes: _Wakes) -> None:
        """Run one work; raises sqlite3.Error where the batch is lost with it."""
        execute = self._cursor.execute
        execute("SAVEPOINT work")
        tx = self._transaction(self._cursor, writes=True)
        if job.run(tx):
            execute("RELEASE work")
            wakes.update(dict.fromkeys(tx.close()))
            self._memory.bound()
            return
        tx.close()
        error = job.error
        self._memory.take_back(tx)
        self._memory.bound()
        if isinstance(error, Conflict):
            # Nobody else writes: what was remembered may be why it lost. Rows alone decide next.
            self._memory.clear()
        if isinstance(error, sqlite3.Error):
            if not self._connection.in_transaction or code_of(error) in FATAL_CODES:
                raise error
            job.error = _told(error)
        execute("ROLLBACK TO work")
        execute("RELEASE work")

    def _run_in_memory(self, job: Job) -> None:
        tx = self._transaction(self._cursor, writes=False)
        job.run(tx)
        tx.close()

    def _abandon(self, jobs: Sequence[Job], error: sqlite3.Error) -> None:
        """Roll back and fail every call of the batch; for good where the file cannot be trusted."""
        lost = error
        self._memory.clear()
        if self._connection.in_transaction:
            try:
                self._cursor.execute("ROLLBACK")
            except sqlite3.Error as second:
                lost = second
        if code_of(lost) in FATAL_CODES or self._connection.in_transaction:
            self._refuse(failure_of(lost))
        for job in jobs:
            job.fail(failure_of(error))

    def _refuse(self, failure: StoreFailed) -> None:
        if self._failure is None:
            self._failure = failure
        self._writes.drain(failure)

    def _bound_log(self, path: Path) -> None:
        """Empty the log into the file where readers kept it from shrinking by itself."""
        size = path.with_name(path.name + "-wal").stat().st_size
        if size <= self._log_bytes_max:
            return
        self._gate.clear()
        try:
            busy, _, _ = self._cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            self._abandon((), error)
            busy = True
        finally:
            self._gate.set()
        self._log_bytes_max = size + WAL_BYTES_MAX if busy else WAL_BYTES_MAX

    # Reading

    def _read_on(self, connection: sqlite3.Connection) -> None:
        cursor = connection.cursor()
        for job in iter(self._reads.take, None):
            self._gate.wait()
            if job.begin():
                self._read_one(cursor, job)
                job.answer()
        connection.close()

    def _read_one(self, cursor: sqlite3.Cursor, job: Job) -> None:
        try:
            cursor.execute("BEGIN")
            tx = self._transaction(cursor, writes=False)
            job.run(tx)
            tx.close()
            cursor.execute("COMMIT")
        except sqlite3.Error as error:
            job.error = error
        if isinstance(job.error, sqlite3.Error):
            if code_of(job.error) in FATAL_CODES:
                self._refuse(failure_of(job.error))
            job.error = _told(job.error)
            if cursor.connection.in_transaction:
                cursor.connection.rollback()


_MARK_NOW = SET_MARK.compiled("sqlite")[0]


def _told(error: sqlite3.Error) -> BaseException:
    """What a work's caller is told: a programming error as it is, all else as StoreFailed."""
    if isinstance(error, sqlite3.IntegrityError):
        told = AssertionError(f"a put broke a unique set of columns: {error}")
        told.__cause__ = error
        return told
    return error if code_of(error) in (0, sqlite3.SQLITE_ERROR) else failure_of(error)
