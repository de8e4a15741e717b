"""Short reads, run at once by the thread that asks.

In CPython a read that is handed to another thread pays more for the hand-overs of the interpreter
than for itself (measured: 290 against 110 microseconds for ten records). So whoever may not wait
glances: on a connection of its own, within a budget of SQLite's steps. A read that turns out longer
is broken off, and begun again in a thread that may take its time.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from moorage.sql.connection import open_reader
from moorage.sql.job import Job
from moorage.sql.transaction import Transaction

# Some hundred records by key, or a walk over about a thousand rows: a millisecond or two.
STEPS_MAX = 20_000


class Glance:
    """The connection on which short reads run, one at a time."""

    def __init__(self, path: Path) -> None:
        """Open the connection; raises sqlite3.Error."""
        self._connection = open_reader(path)
        self._cursor = self._connection.cursor()
        self._free = Lock()
        self._calls = 0
        # SQLite counts the steps of a statement over all its runs, so that the first call may come
        # early; the second comes a whole budget later.
        self._connection.set_progress_handler(self._is_long, STEPS_MAX)

    def run(self, job: Job, transaction: Callable[[sqlite3.Cursor], Transaction]) -> bool:
        """Run a work that reads; False where it is to be run elsewhere: it is long, or it failed.

        Also where the connection is in use or closed. A work must bear being run again.
        """
        if not self._free.acquire(blocking=False):
            return False
        try:
            self._calls = 0
            self._cursor.execute("BEGIN")
            tx = transaction(self._cursor)
            job.run(tx)
            tx.close()
            self._cursor.execute("COMMIT")
        except sqlite3.Error as error:
            job.error = error
        finally:
            if isinstance(job.error, sqlite3.Error) and self._connection.in_transaction:
                self._connection.rollback()
            self._free.release()
        return not isinstance(job.error, sqlite3.Error)

    def close(self) -> None:
        """Close the connection for good, once the read under way is done."""
        self._free.acquire()
        self._connection.close()

    def _is_long(self) -> int:
        self._calls += 1
        return self._calls > 1
