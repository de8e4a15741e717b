"""The one session by which a server holds a PostgreSQL database and hears of others' changes.

An advisory lock says that the database has its server; it ends with the session, so a server that
dies lets go at once. Until servers can share a database a second one is refused. The lock is a
convenience: rows are kept safe by unique columns, versions and epochs.
"""

import os
import select
from collections.abc import Callable, Sequence
from threading import Event, Thread

import psycopg

from moorage.ground.clock import Clock
from moorage.ground.instant import Instant, seconds
from moorage.sql import changes
from moorage.sql.link import Link, connect
from moorage.sql.transaction import Change, OpenRefused

LOCK = 0x6D6F_6F72_6167_65  # "moorage"
LOCK_SECONDS_MAX = 2.0
LOCK_SECONDS_BETWEEN = 0.1
POLL_SECONDS = 1.0
RECONNECT_SECONDS = 1.0
TRIM_EVERY = seconds(60)

_HOLDER = """
    SELECT a.application_name, a.pid FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (CAST(l.classid AS bigint) << 32) + CAST(l.objid AS bigint) = %(lock)s
"""

Told = Callable[[Sequence[Change]], None]


class Session:
    """Holds the lock, listens, and comes back by itself when the connection is lost."""

    def __init__(self, url: str, server: str, clock: Clock, told: Told) -> None:
        """Take the lock; raises OpenRefused where another server has it, or psycopg.Error."""
        self._url = url
        self._server = server
        self._clock = clock
        self._told = told
        self._closing = Event()
        self._trimmed = clock.monotonic()
        self._low = 0
        self.held = Event()
        self._link = self._joined(LOCK_SECONDS_MAX)
        self._bell, self._ring = os.pipe()
        self._thread = Thread(target=self._attend, name="sql-session", daemon=True)

    @property
    def link(self) -> Link:
        """The session's connection, for use before `start`."""
        return self._link

    def start(self) -> None:
        """Begin to listen in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Let go of the lock."""
        self._closing.set()
        os.write(self._ring, b".")
        if self._thread.ident is not None:
            self._thread.join()
        self.held.clear()
        self._link.close()
        os.close(self._bell)
        os.close(self._ring)

    def _joined(self, patience_seconds: float) -> Link:
        link = connect(self._url)
        try:
            self._take_lock(link, patience_seconds)
            link.execute(f"LISTEN {changes.CHANNEL}")
        except BaseException:
            link.close()
            raise
        self.held.set()
        return link

    def _take_lock(self, link: Link, patience_seconds: float) -> None:
        """Wait a little: the server before us may be dying just now."""
        for _ in range(1 + round(patience_seconds / LOCK_SECONDS_BETWEEN)):
            row = link.execute("SELECT pg_try_advisory_lock(%(lock)s)", {"lock": LOCK}).fetchone()
            if row == (True,) or self._closing.wait(LOCK_SECONDS_BETWEEN):
                return
        holder = link.execute(_HOLDER, {"lock": LOCK}).fetchone()
        name = f"{holder[0]} (PostgreSQL backend {holder[1]})" if holder else "another server"
        raise OpenRefused(
            f"The database is in use by {name}: one server a database. Stop it first."
        )

    def _attend(self) -> None:
        try:
            while not self._closing.is_set():
                try:
                    self._hear()
                except (psycopg.Error, OSError):
                    self.held.clear()
                    self._link.close()
                    self._rejoin()
        finally:
            self.held.clear()

    def _rejoin(self) -> None:
        """Try once to come back; where it fails, the closed link brings us here again."""
        try:
            self._link = self._joined(0)
        except (psycopg.Error, OpenRefused):
            self._closing.wait(RECONNECT_SECONDS)

    def _hear(self) -> None:
        """Wait for a NOTIFY or a second, then tell what others changed."""
        # Not select(2): it cannot watch the 1025th open file, and a server has thousands of hosts.
        poller = select.poll()
        for file in (self._link.fileno(), self._bell):
            poller.register(file, select.POLLIN)
        if self._bell in (file for file, _ in poller.poll(POLL_SECONDS * 1000)):
            return
        for _ in self._link.notifies(timeout=0):
            pass
        with self._link.cursor() as cursor:
            found, self._low = changes.since(cursor, self._low, self._server)
            if found:
                self._told(found)
            now = self._clock.monotonic()
            if now - self._trimmed >= TRIM_EVERY:
                self._trimmed = now
                changes.trim(cursor, self._clock.now())

    def begin(self) -> Instant:
        """Hear only of changes from here on; returns the time of the last commit."""
        with self._link.cursor() as cursor:
            self._low = changes.horizon(cursor)
            return changes.newest(cursor)
