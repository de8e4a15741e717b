"""PostgreSQL: each write is a thread and a SERIALIZABLE transaction of its own.

It is tried again on Conflict; reads see one snapshot. A few threads, each with a connection, serve
the queues.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, LiteralString, TypeVar

import psycopg

from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.instant import Instant
from moorage.sql import changes
from moorage.sql.copying import Told, copy_rows
from moorage.sql.document import Table
from moorage.sql.job import Job, Queue
from moorage.sql.link import Link, check_server, connect, told
from moorage.sql.migrate import migrate
from moorage.sql.session import Session
from moorage.sql.transaction import Change, OpenRefused, StoreFailed, Transaction, attempt

WRITERS = 8
READERS = 4
SERVER_DIGITS = 16

_T = TypeVar("_T")
Listener = Callable[[Sequence[Change]], None]

_Woken = Sequence[tuple[str, str]]

BEGIN: dict[bool, LiteralString] = {
    True: "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
    False: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}


class PostgreSQLDatabase:
    """Adapter of port Database on a PostgreSQL database, named by a libpq URL."""

    def __init__(
        self, url: str, *, clock: Clock, chance: Chance, tables: Sequence[Table[Any]]
    ) -> None:
        """Connect, take the database, bring its schema up to date; raises OpenRefused."""
        self._url = url
        self._tables = tables
        self._clock = clock
        self._chance = chance
        self._server = chance.hex(SERVER_DIGITS)
        self._listeners: tuple[Listener, ...] = ()
        self._telling = Lock()
        self._last = Instant(0)
        self._closing = Event()
        self._failure: StoreFailed | None = None
        try:
            self._session = Session(url, self._server, clock, self._heard)
        except psycopg.Error as error:
            raise OpenRefused(f"Cannot reach the PostgreSQL database: {error}.") from error
        try:
            check_server(self._session.link)
            self._migrate(self._session.link, tables)
            self._last = self._session.begin()
        except psycopg.Error as error:
            self._session.close()
            raise OpenRefused(f"Cannot open the PostgreSQL database: {error}.") from error
        except BaseException:
            self._session.close()
            raise
        self._session.start()
        self._writes = Queue()
        self._reads = Queue()
        self._threads = [
            Thread(target=self._serve, args=(queue,), name=f"sql-{kind}-{number}", daemon=True)
            for kind, queue, count in (
                ("write", self._writes, WRITERS),
                ("read", self._reads, READERS),
            )
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def write(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """Run a work that writes, in a transaction of its own."""
        return self._writes.submit(work, writes=True)

    def read(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """Run a work that reads, on one snapshot."""
        return self._reads.submit(work, writes=False)

    def look(self, work: Callable[[Transaction], _T]) -> "Future[_T]":
        """`read`: what comes over a socket is waited for in a thread, however short."""
        return self.read(work)

    def watch(self, listener: Listener) -> None:
        """Tell `listener` what each commit woke, here and on other servers."""
        self._listeners = (*self._listeners, listener)

    def copy(self, path: Path, told: Told) -> "Future[None]":
        """Write all records of one snapshot to a SQLite file."""
        return self.read(lambda tx: copy_rows(tx, path, self._tables, told))

    def failure(self) -> StoreFailed | None:
        """None while PostgreSQL may come back, which it always may."""
        return self._failure

    def close(self) -> None:
        """Finish what is queued, close the connections, let go of the database."""
        if self._closing.is_set():
            return
        self._closing.set()
        for queue in (self._writes, self._reads):
            queue.close()
        for thread in self._threads:
            thread.join()
        self._session.close()

    # What the lanes ask for

    def transaction(
        self, cursor: "psycopg.Cursor[tuple[Any, ...]]", *, writes: bool
    ) -> Transaction:
        """A transaction on a connection that has begun one."""
        now = max(self._clock.now(), self._last)
        return Transaction(cursor, "postgresql", now, self._chance, writable=writes)

    def committed(self, now: Instant, woken: Sequence[tuple[str, str]]) -> None:
        """Remember the time of a commit, and tell what it woke."""
        with self._telling:
            self._last = max(self._last, now)
            if woken:
                changed = [Change(kind=kind, key=key) for kind, key in woken]
                for listener in self._listeners:
                    listener(changed)

    def _heard(self, found: Sequence[Change]) -> None:
        self.committed(self._last, [(change.kind, change.key) for change in found])

    def _migrate(self, link: Link, tables: Sequence[Table[Any]]) -> None:
        link.execute(BEGIN[True])
        with link.cursor() as cursor:
            migrate(self.transaction(cursor, writes=True), tables)
        link.execute("COMMIT")

    def _serve(self, queue: Queue) -> None:
        lane = _Lane(self._url, self._session.held, self._server)
        try:
            for job in iter(queue.take, None):
                if job.begin():
                    self._finish(lane, job)
        finally:
            # Reached early only by a bug of a listener: then no caller may be left waiting.
            lane.close()
            if not self._closing.is_set():
                self._failure = self._failure or StoreFailed("The server is stopping.")
                queue.drain(self._failure)

    def _finish(self, lane: "_Lane", job: Job) -> None:
        try:
            now, woken = attempt(
                lambda: lane.run(job, self.transaction), self._chance, self._closing.wait
            )
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller, who gets it
            job.fail(error)
            return
        try:
            if job.writes:
                self.committed(now, woken)
        finally:
            job.answer()


class _Lane:
    """One thread's connection, opened when first wanted and again when it was lost."""

    def __init__(self, url: str, held: Event, server: str) -> None:
        self._url = url
        self._held = held
        self._server = server
        self._link: Link | None = None

    def run(self, job: Job, opened: Callable[..., Transaction]) -> tuple[Instant, _Woken]:
        """Run a job once in a transaction of its own; raises Conflict, or what it ended in."""
        if job.writes and not self._held.is_set():
            raise StoreFailed("The hold on the database was lost. Try again.")
        try:
            link = self._begun(BEGIN[job.writes])
            try:
                return self._run(link, job, opened)
            except BaseException:
                self._roll_back(link)
                raise
        except (psycopg.Error, OSError) as error:
            raise told(error) from error

    def _run(
        self, link: Link, job: Job, opened: Callable[..., Transaction]
    ) -> tuple[Instant, _Woken]:
        with link.cursor() as cursor:
            tx = opened(cursor, writes=job.writes)
            fine = job.run(tx)
            woken = tx.close()
            if not fine:
                assert job.error is not None
                raise job.error
            if job.writes:
                changes.tell(cursor, woken, tx.now, self._server)
            cursor.execute("COMMIT")
            assert cursor.statusmessage == "COMMIT", "a work went on after its statement failed"
            return tx.now, woken

    def _begun(self, begin: LiteralString) -> Link:
        if self._link is not None and not self._link.closed:
            try:
                self._link.execute(begin)
            except psycopg.OperationalError:
                self._link.close()  # it was lost while idle; nothing has run on it yet
            else:
                return self._link
        self._link = connect(self._url)
        self._link.execute(begin)
        return self._link

    def _roll_back(self, link: Link) -> None:
        try:
            link.execute("ROLLBACK")
        except psycopg.Error:
            link.close()

    def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._link.close()
