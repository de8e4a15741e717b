"""The glass through which a world looks at a database: what each commit changed, and what is let fail.

A cursor that hands every statement on to SQLite's own, notes the rows that are written to the
tables that laws look at, and gives them away when, and only when, the COMMIT has happened. On
command it kills the server just before or just after a COMMIT, or lets a statement fail as a full
or a broken disk would.
"""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, cast

from moorage.ground.record import Record
from moorage.sim.sight import Row
from moorage.sql.document import Table

_WRITE = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)", re.IGNORECASE)
Books = dict[str, dict[tuple[Any, ...], Any]]


class Killed(BaseException):
    """The server's process is to die here."""


class Trouble:
    """What is to go wrong on the database, and when; set by faults, used up by the tap."""

    def __init__(self, now: Callable[[], int]) -> None:
        """Begin with none; `now` is the world's time in microseconds."""
        self._now = now
        self.kill_in: int | None = None
        self.kill_before = False
        self.code = 0
        self.statements = 0
        self.passing = 0
        self.ends_transaction = False
        self.too_late = False
        # When a statement failed last, None while none has.
        self.failed_at: int | None = None

    def failing(
        self,
        code: int,
        statements: int,
        *,
        passing: int = 0,
        ends_transaction: bool = False,
        too_late: bool = False,
    ) -> None:
        """Let so many statements that write, or commits, fail with this code of SQLite's.

        Before the first of them `passing` go well, so that it may be in the midst of a work, or the
        commit itself. With `ends_transaction` all that was written before is undone with it, as
        SQLite does by itself (sqlite.org/lang_transaction.html, 2.2). With `too_late` a commit
        that fails has happened, as one does whose last write reached the disk without a receipt.
        """
        self.code, self.statements, self.passing = code, statements, passing
        self.ends_transaction, self.too_late = ends_transaction, too_late

    def take(self) -> bool:
        """Whether the statement that comes now is to fail."""
        if self.statements <= 0:
            return False
        if self.passing > 0:
            self.passing -= 1
            return False
        self.statements -= 1
        self.failed_at = self._now()
        return True

    def kill_at(self, commits: int, *, before: bool) -> None:
        """Kill the server at the commit that comes after so many others."""
        self.kill_in, self.kill_before = commits, before

    def clear(self) -> None:
        """No more of it."""
        self.kill_in = None
        self.code = self.statements = self.passing = 0


class Tap:
    """In sqlite3.Cursor's place."""

    def __init__(
        self,
        cursor: sqlite3.Cursor,
        watched: Mapping[str, Table[Any]],
        books: Books,
        trouble: Trouble,
        committed: Callable[[Sequence[Row]], None],
    ) -> None:
        """Keep `books` of the `watched` tables, and tell of each commit."""
        self._cursor = cursor
        self._execute = cursor.execute
        self._watched = watched
        self._books = books
        self._trouble = trouble
        self._committed = committed
        self._pending: list[tuple[str, tuple[Any, ...], Any]] = []
        self._mark = 0
        self._targets: dict[str, tuple[str, Table[Any] | None]] = {}
        self._wrote = False

    def disguised(self) -> sqlite3.Cursor:
        """As the database's annotations want it; it uses no more than what is here."""
        return cast("sqlite3.Cursor", self)

    @property
    def connection(self) -> sqlite3.Connection:
        """The cursor's."""
        return self._cursor.connection

    @property
    def rowcount(self) -> int:
        """The cursor's."""
        return self._cursor.rowcount

    def fetchall(self) -> list[Any]:
        """The cursor's."""
        return self._cursor.fetchall()

    def fetchone(self) -> Any:
        """The cursor's."""
        return self._cursor.fetchone()

    def execute(self, text: str, values: Any = ()) -> "Tap":
        """Run a statement, and look on."""
        control = _CONTROLS.get(text)
        if control is not None:
            control(self, text)
            return self
        target = self._targets.get(text)
        if target is None:
            target = self._targets[text] = self._target(text)
        kind, table = target
        if kind:
            self._fail_if_due()
        self._execute(text, values)
        if kind:
            self._wrote = True
            if table is not None:
                self._note(kind, table, values)
        return self

    def _target(self, text: str) -> tuple[str, Table[Any] | None]:
        found = _WRITE.match(text)
        if found is None:
            return "", None
        return found[1].split()[0].upper(), self._watched.get(found[2])

    def _fail_if_due(self) -> None:
        if self._trouble.take():
            self._fail()

    def _fail(self) -> NoReturn:
        if self._trouble.ends_transaction and self.connection.in_transaction:
            self.connection.rollback()
        raise _error(self._trouble.code)

    def _note(self, kind: str, table: Table[Any], values: Mapping[str, Any]) -> None:
        if self._cursor.rowcount < 1:
            return
        if kind != "DELETE":
            key = tuple(values[name] for name in table.keys)
            text = values.get("new_document", values.get("document"))
            self._pending.append((table.name, key, table.decode(text)))
            return
        # What this very batch has written, too.
        fresh = {key: record for name, key, record in self._pending if name == table.name}
        there = {**self._books[table.name], **fresh}
        for key, record in there.items():  # a deletion may be by any columns
            if record is not None and _agrees(record, values):
                self._pending.append((table.name, key, None))

    # --- transactions ----------------------------------------------------------------------------

    def _begin(self, text: str) -> None:
        self._execute(text)
        self._pending.clear()
        self._wrote = False

    def _savepoint(self, text: str) -> None:
        self._execute(text)
        self._mark = len(self._pending)

    def _release(self, text: str) -> None:
        self._execute(text)

    def _roll_back_to(self, text: str) -> None:
        self._execute(text)
        del self._pending[self._mark :]

    def _roll_back(self, text: str) -> None:
        self._execute(text)
        self._pending.clear()

    def _commit(self, text: str) -> None:
        trouble = self._trouble
        if self._wrote and trouble.take():
            if trouble.too_late:
                self._execute(text)
                self._publish()
            self._fail()
        dies = False
        if self._wrote and trouble.kill_in is not None:
            trouble.kill_in -= 1
            dies = trouble.kill_in < 0
            if dies:
                trouble.kill_in = None
                if trouble.kill_before:
                    raise Killed
        self._execute(text)
        if self._wrote:
            self._publish()
        if dies:
            raise Killed

    def _publish(self) -> None:
        last: dict[tuple[str, tuple[Any, ...]], Any] = {}
        for name, key, record in self._pending:
            last[name, key] = record
        self._pending.clear()
        rows = []
        for (name, key), after in last.items():
            table = self._books[name]
            before: Record | None = table.get(key)
            if after is None:
                table.pop(key, None)
            else:
                table[key] = after
            rows.append(Row(table=name, before=before, after=after))
        self._committed(rows)


def _agrees(record: Record, values: Mapping[str, Any]) -> bool:
    return all(getattr(record, name) == value for name, value in values.items())


def _error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("injected")
    error.sqlite_errorcode = code
    return error


_CONTROLS: Mapping[str, Callable[[Tap, str], None]] = {
    "BEGIN IMMEDIATE": Tap._begin,  # noqa: SLF001 - the table of this class
    "SAVEPOINT work": Tap._savepoint,  # noqa: SLF001
    "RELEASE work": Tap._release,  # noqa: SLF001
    "ROLLBACK TO work": Tap._roll_back_to,  # noqa: SLF001
    "ROLLBACK": Tap._roll_back,  # noqa: SLF001
    "COMMIT": Tap._commit,  # noqa: SLF001
}
