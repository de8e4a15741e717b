"""Query: a search of a table by columns, declared once at import and run many times."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import sqlalchemy as core
from sqlalchemy.sql import ColumnElement

from moorage.ground.record import Record
from moorage.sql.statement import Binding, Statement, Value, listed, plain
from moorage.sql.transaction import Row, Transaction

if TYPE_CHECKING:
    from moorage.sql.document import Table

Form = Literal["all", "limited", "keys", "count", "tally", "delete"]
DOCUMENT = "document"
# Of a longer list nothing is learned: it would only push out what is in use.
LEARNED_MAX = 64

_R = TypeVar("_R", bound=Record)


class Query(Generic[_R]):
    """Records whose `columns` equal the values given, in the order of `order`, then of the keys.

    A name in `order` that begins with `-` counts down. `among` is a column matched against a list
    of values, `greater` one that must be greater than the value given: for paging by key; None
    there means from the beginning, and it is the order where none is given. For the other columns,
    None matches None. `tally` names the columns by whose values `tallied` counts.
    """

    def __init__(
        self,
        table: "Table[_R]",
        columns: tuple[str, ...],
        *,
        order: tuple[str, ...],
        among: str,
        greater: str,
        tally: tuple[str, ...] = (),
    ) -> None:
        """Check the columns' names; statements are made at first use."""
        self._table = table
        self._equal = columns
        self._among = among
        self._greater = greater
        self._tally = tally
        named = (*columns, *filter(None, (among, greater)))
        self._names = frozenset(named)
        assert len(self._names) == len(named), "a column is asked for once"
        order = order or ((greater,) if greater else ())
        ordered = {name.removeprefix("-") for name in order}
        asked = self._names.union(ordered, tally)
        assert asked <= set(table.names), f"{table.name} has not all of {sorted(asked)}"
        self._order = (*order, *(name for name in table.keys if name not in ordered))
        self._statements: dict[tuple[Form, tuple[str, ...]], Statement] = {}

    def all(self, tx: Transaction, /, *, limit: int | None = None, **values: object) -> list[_R]:
        """The records found, at most `limit`."""
        table = self._table
        rows = self._run(tx, "all" if limit is None else "limited", values, limit)
        found = [table.record_of(tx, row) for row in rows]
        if tx.writable and len(found) <= LEARNED_MAX:
            for record in found:
                table.learn(tx, record)
        return found

    def first(self, tx: Transaction, /, **values: object) -> _R | None:
        """The first record found, or None."""
        rows = self._run(tx, "limited", values, 1)
        return self._table.record_of(tx, rows[0]) if rows else None

    def keys(self, tx: Transaction, /, **values: object) -> list[tuple[Value, ...]]:
        """The keys of the records found, without reading their documents."""
        return self._run(tx, "keys", values)

    def count(self, tx: Transaction, /, **values: object) -> int:
        """How many records are found."""
        rows = self._run(tx, "count", values)
        return int(rows[0][0]) if rows else 0

    def tallied(self, tx: Transaction, /, **values: object) -> dict[tuple[Value, ...], int]:
        """How many records are found, by the values of the columns of `tally`; none is read."""
        return {tuple(values): int(number) for *values, number in self._run(tx, "tally", values)}

    def delete(self, tx: Transaction, /, **values: object) -> int:
        """Remove the records found; returns how many."""
        bindings, statement = self._prepared(tx, "delete", values)
        self._table.forget(tx)
        return tx.execute(statement, bindings) if bindings is not None else 0

    def _run(
        self, tx: Transaction, form: Form, values: dict[str, object], limit: int | None = None
    ) -> list[Row]:
        bindings, statement = self._prepared(tx, form, values)
        if bindings is None:
            return []
        if limit is not None:
            bindings["limit"] = limit
        return tx.fetch(statement, bindings)

    def _prepared(
        self, tx: Transaction, form: Form, values: dict[str, object]
    ) -> tuple[dict[str, Binding] | None, Statement]:
        """The values to bind (None where an empty list can match nothing) and the statement."""
        if self._greater:
            values.setdefault(self._greater, None)
        assert values.keys() == self._names, f"asked by {set(values)}, declared {set(self._names)}"
        bindings: dict[str, Binding] = {}
        absent: tuple[str, ...] = ()
        empty = False
        for name, value in values.items():
            if name == self._among:
                assert isinstance(value, Iterable)
                assert not isinstance(value, str), "among takes a list of values"
                wanted = list(value)
                empty = not wanted
                bindings[name] = listed(tx.dialect, wanted)
            elif value is None:
                absent = (*absent, name)
            else:
                bindings[name] = plain(value)
        return None if empty else bindings, self._statement(form, tuple(sorted(absent)))

    def _statement(self, form: Form, absent: tuple[str, ...]) -> Statement:
        known = self._statements.get((form, absent))
        if known is None:
            known = self._statements[form, absent] = self._made(form, absent)
        return known

    def _made(self, form: Form, absent: tuple[str, ...]) -> Statement:
        table = self._table.sql
        lite, post = self._conditions(absent)
        if form == "delete":
            return Statement(core.delete(table).where(*lite), core.delete(table).where(*post))
        keys = [table.c[name] for name in self._table.keys]
        told = [table.c[name] for name in self._tally]
        selected: core.Select[Any] = {
            "all": core.select(*keys, table.c[DOCUMENT]),
            "limited": core.select(*keys, table.c[DOCUMENT]).limit(core.bindparam("limit")),
            "keys": core.select(*keys),
            "count": core.select(core.func.count()).select_from(table),
            "tally": core.select(*told, core.func.count()).select_from(table).group_by(*told),
        }[form]
        if form not in {"count", "tally"}:
            selected = selected.order_by(*map(self._ordering, self._order))
        return Statement(selected.where(*lite), selected.where(*post))

    def _ordering(self, name: str) -> ColumnElement[object]:
        column = self._table.sql.c[name.removeprefix("-")]
        ordering = column.desc() if name.startswith("-") else column.asc()
        if not column.nullable:
            return ordering
        # The databases disagree on where NULL comes: SQLite's habit holds, least of all.
        return ordering.nulls_last() if name.startswith("-") else ordering.nulls_first()

    def _conditions(
        self, absent: tuple[str, ...]
    ) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
        columns = self._table.sql.c
        shared: list[ColumnElement[bool]] = [
            columns[name].is_(None) if name in absent else columns[name] == core.bindparam(name)
            for name in self._equal
        ]
        if self._greater and self._greater not in absent:
            shared.append(columns[self._greater] > core.bindparam(self._greater))
        if not self._among:
            return shared, shared
        column = columns[self._among]
        wanted: core.BindParameter[object] = core.bindparam(self._among)
        elements = core.func.json_each(wanted).table_valued("value")
        return (
            [*shared, column.in_(core.select(elements.c.value))],
            [*shared, column == core.func.any(wanted)],
        )
