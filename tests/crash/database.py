"""A database that ends its process at a commit: a peer of the adapters, for tests alone.

Every write that changes a row is a point. At the point that was asked for the process is killed,
by SIGKILL as by a loss of power: either with the work done and its COMMIT not begun (`before`), or
with the COMMIT durable and its caller not told (`after`).
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from moorage.sql.copying import Told
from moorage.sql.engine import Database
from moorage.sql.statement import Binding, Statement
from moorage.sql.transaction import Change, StoreFailed, Transaction

Moment = Literal["before", "after"]
NEVER = 0


class Noted(Transaction):
    """The same transaction, which remembers whether it wrote."""

    __slots__ = ("wrote",)

    def __init__(self, of: Transaction) -> None:
        super().__init__(of._cursor, of.dialect, of.now, of.chance, writable=of.writable)
        self._wakes = of._wakes
        self.wrote = False

    def execute(self, statement: Statement, values: Mapping[str, Binding]) -> int:
        self.wrote = True
        return super().execute(statement, values)


class CrashingDatabase:
    """Counts the points of `inner` once armed, and dies at the one with the number `at`."""

    def __init__(self, inner: Database, tally: Path, at: int, moment: Moment) -> None:
        self._inner = inner
        self._tally = os.open(tally, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self._at = at
        self._moment = moment
        self._armed = False
        self._count = 0
        self._lock = Lock()

    def arm(self) -> None:
        """Count from here on."""
        self._armed = True

    def write(self, work: Callable[[Transaction], Any]) -> "Future[Any]":
        number = NEVER

        def counted(tx: Transaction) -> Any:
            nonlocal number
            noted = Noted(tx)
            result = work(noted)
            if noted.wrote:
                number = self._next()
                self._die(number, "before")
            return result

        outer: Future[Any] = Future()

        def done(inner: "Future[Any]") -> None:
            error = inner.exception()
            if error is None:
                self._die(number, "after")
            if not outer.set_running_or_notify_cancel():
                return
            if error is None:
                outer.set_result(inner.result())
            else:
                outer.set_exception(error)

        self._inner.write(counted).add_done_callback(done)
        return outer

    def read(self, work: Callable[[Transaction], Any]) -> "Future[Any]":
        return self._inner.read(work)

    def look(self, work: Callable[[Transaction], Any]) -> "Future[Any]":
        return self._inner.look(work)

    def watch(self, listener: Callable[[Sequence[Change]], None]) -> None:
        self._inner.watch(listener)

    def copy(self, path: Path, told: Told) -> "Future[None]":
        return self._inner.copy(path, told)

    def failure(self) -> StoreFailed | None:
        return self._inner.failure()

    def close(self) -> None:
        self._inner.close()

    def _next(self) -> int:
        if not self._armed:
            return NEVER
        with self._lock:
            self._count += 1
            os.pwrite(self._tally, f"{self._count:09}".encode(), 0)
            return self._count

    def _die(self, number: int, moment: Moment) -> None:
        if number != NEVER and (number, moment) == (self._at, self._moment):
            os.kill(os.getpid(), signal.SIGKILL)
