"""Table: records kept as key columns, the columns that are searched by, and one JSON document.

Columns are read from the record's members (or properties) of the same name; their types from its
annotations. A record gains members without any change of the table.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as core
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from moorage.ground.fault import Validation
from moorage.ground.record import Record
from moorage.sql.column import column_type
from moorage.sql.query import DOCUMENT, Query
from moorage.sql.statement import Binding, Statement, Value, plain
from moorage.sql.transaction import Row, Transaction

RESERVED = frozenset({DOCUMENT, "limit", "expected"})
IDENTIFIER_LENGTH_MAX = 63  # PostgreSQL, NAMEDATALEN - 1

_R = TypeVar("_R", bound=Record)
_encode = msgspec.json.Encoder().encode
_UNREAD: Any = object()


@dataclass(eq=False)
class Table(Generic[_R]):
    """A kind of record that the database keeps, declared once in a house's store.

    `keys` name the record, `columns` are searched by, each of `unique` is a set of columns whose
    values no two records share (where none of them is None), `indices` make searches fast, and
    `version` names the integer member that `swap` compares.
    """

    name: str
    record: type[_R]
    _: KW_ONLY
    keys: tuple[str, ...]
    columns: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    indices: tuple[tuple[str, ...], ...] = ()
    version: str = ""
    sql: core.Table = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Describe the table and its statements; nothing is compiled yet."""
        if self.version and self.version not in self.columns:
            self.columns = (*self.columns, self.version)
        assert self.keys, "a table has a key"
        assert RESERVED.isdisjoint(self.names), f"the names {RESERVED} are taken"
        assert len(set(self.names)) == len(self.names), "a column is named once"
        for columns in (*self.unique, *self.indices):
            assert set(columns) <= set(self.names), f"no column for an index on {columns}"
        self.sql = self._describe()
        self._all = (*self.names, DOCUMENT)
        self._read = _reader(self.names)
        self._key = _reader(self.keys)
        self._narrow: dict[tuple[str, ...], Statement] = {}
        self._decode = msgspec.json.Decoder(self.record).decode
        match = [self.sql.c[name] == core.bindparam(name) for name in self.keys]
        found = core.select(self.sql.c[DOCUMENT]).where(*match)
        self._get = Statement(found)
        self._lock = Statement(found, found.with_for_update())
        self._delete = Statement(core.delete(self.sql).where(*match))
        self._insert, self._put = self._insertions()
        self._match = match
        self._swap = self._swapping(self._all)

    @property
    def names(self) -> tuple[str, ...]:
        """All columns but the document, keys first."""
        return (*self.keys, *self.columns)

    @cached_property
    def creation(self) -> Statement:
        """Makes the table."""
        return Statement(CreateTable(self.sql))

    @cached_property
    def index_creations(self) -> tuple[Statement, ...]:
        """Make those of its indices that are not there, in the order of their names."""
        ordered = sorted(self.sql.indexes, key=lambda index: str(index.name))
        return tuple(Statement(CreateIndex(index, if_not_exists=True)) for index in ordered)

    def get(self, tx: Transaction, *key: Value) -> _R | None:
        """The record under a key, or None; not read where it is known."""
        known: _R | None = tx.known.get((self.name, key), _UNREAD)
        return self._fetched(tx, self._get, key) if known is _UNREAD else known

    def at_hand(self, tx: Transaction, *key: Value) -> _R | None:
        """The record under a key where it is known; None says nothing."""
        known: _R | None = tx.known.get((self.name, key))
        return known

    def lock(self, tx: Transaction, *key: Value) -> _R | None:
        """`get`, and no other write touches the record until this one has ended."""
        assert tx.writable, "a read locks nothing"
        return self._fetched(tx, self._lock, key)

    def put(self, tx: Transaction, record: _R) -> None:
        """Keep a record, in place of one with the same key; asserts that unique columns allow."""
        tx.execute(self._put, self.row(record))
        self.learn(tx, record)

    def insert(self, tx: Transaction, record: _R) -> bool:
        """Keep a new record; False where its key or a unique set of columns is taken."""
        done = tx.execute(self._insert, self.row(record)) == 1
        if done:
            self.learn(tx, record)
        return done

    def delete(self, tx: Transaction, *key: Value) -> bool:
        """Remove the record under a key; False where there is none."""
        tx.known.pop((self.name, key), None)
        return tx.execute(self._delete, self._named(key)) == 1

    def learn(self, tx: Transaction, record: _R) -> None:
        """Say that a record is in the table as it is here: it need not be read again."""
        tx.known[self.name, self._key(record)] = record

    def forget(self, tx: Transaction) -> None:
        """Say that nothing is known any more of what the table holds."""
        for place in [one for one in tx.known if one[0] == self.name]:
            del tx.known[place]

    def swap(self, tx: Transaction, record: _R, *, version: int) -> bool:
        """Replace a record whose stored version is `version`; False where it is another or gone.

        The record that is given carries its new version.
        """
        assert self.version, f"the table {self.name} declares no version"
        values = self.row(record)
        assert values[self.version] != version, "a swap changes the version"
        names, statement = self._changed(tx, record, version)
        bindings: dict[str, Binding] = {f"new_{name}": values[name] for name in names}
        bindings.update((name, values[name]) for name in self.keys)
        bindings["expected"] = version
        done = tx.execute(statement, bindings) == 1
        if done:
            self.learn(tx, record)
        return done

    def _changed(
        self, tx: Transaction, record: _R, version: int
    ) -> tuple[tuple[str, ...], Statement]:
        """The columns that a swap changes, all where it is not known, and the statement for them.

        SQLite writes every index anew in which a column of the statement is, whatever its value.
        """
        before = tx.known.get((self.name, self._key(record)))
        if before is None or getattr(before, self.version) != version:
            return self._all, self._swap
        pairs = zip(self.names, self._read(before), self._read(record), strict=True)
        names = (*(name for name, then, now in pairs if then != now), DOCUMENT)
        found = self._narrow.get(names)
        if found is None:
            found = self._narrow[names] = self._swapping(names)
        return names, found

    def _swapping(self, names: Iterable[str]) -> Statement:
        return Statement(
            core.update(self.sql)
            .values({name: core.bindparam(f"new_{name}") for name in names})
            .where(
                *self._match,
                self.sql.c[self.version or self.keys[0]] == core.bindparam("expected"),
            )
        )

    def _fetched(self, tx: Transaction, statement: Statement, key: tuple[Value, ...]) -> _R | None:
        rows = tx.fetch(statement, self._named(key))
        found = tx.known[self.name, key] = self._decode(rows[0][0]) if rows else None
        return found

    def query(
        self,
        *columns: str,
        order: Iterable[str] = (),
        among: str = "",
        greater: str = "",
        tally: Iterable[str] = (),
    ) -> Query[_R]:
        """A search by equal `columns`, made once at import; see Query."""
        return Query(
            self,
            columns,
            order=tuple(order),
            among=among,
            greater=greater,
            tally=tuple(tally),
        )

    def decode(self, document: str) -> _R:
        """The record that a stored document is."""
        return self._decode(document)

    def record_of(self, tx: Transaction, row: Row) -> _R:
        """The record of a row of its key and its document."""
        known: _R | None = tx.known.get((self.name, row[:-1]))
        return self._decode(row[-1]) if known is None else known

    def row(self, record: _R) -> dict[str, Binding]:
        """The values of a record's columns by name; raises Validation where one cannot be kept."""
        values: dict[str, Binding] = dict(
            zip(self.names, map(plain, self._read(record)), strict=True)
        )
        try:
            values[DOCUMENT] = _encode(record).decode()
        except UnicodeEncodeError as error:
            raise Validation("A text holds a half of a surrogate pair.") from error
        return values

    def index_name(self, columns: tuple[str, ...], *, unique: bool) -> str:
        """The name of an index; by a hash where its columns make it too long."""
        name = f"{self.name}_{'one' if unique else 'by'}_{'_'.join(columns)}"
        if len(name) <= IDENTIFIER_LENGTH_MAX:
            return name
        short = hashlib.sha256(name.encode()).hexdigest()[:8]
        return f"{self.name}_{'one' if unique else 'by'}_{short}"

    def _named(self, key: tuple[Value, ...]) -> Mapping[str, Binding]:
        assert len(key) == len(self.keys), f"{self.name} is keyed by {self.keys}"
        return dict(zip(self.keys, map(plain, key), strict=True))

    def _describe(self) -> core.Table:
        columns = [
            core.Column(
                name,
                column_type(self.record, name),
                primary_key=name in self.keys,
                autoincrement=False,
                nullable=name not in self.keys,
            )
            for name in self.names
        ]
        table = core.Table(
            self.name, core.MetaData(), *columns, core.Column(DOCUMENT, core.Text, nullable=False)
        )
        for unique, sets in ((True, self.unique), (False, self.indices)):
            for names in sets:
                core.Index(
                    self.index_name(names, unique=unique),
                    *(table.c[name] for name in names),
                    unique=unique,
                )
        return table

    def _insertions(self) -> tuple[Statement, Statement]:
        values: dict[str, core.BindParameter[object]] = {
            name: core.bindparam(name) for name in self._all
        }
        lite = sqlite.insert(self.sql).values(values)
        post = postgresql.insert(self.sql).values(values)
        rest = [name for name in self._all if name not in self.keys]
        insert = Statement(lite.on_conflict_do_nothing(), post.on_conflict_do_nothing())
        put = Statement(
            lite.on_conflict_do_update(
                index_elements=list(self.keys),
                set_={name: lite.excluded[name] for name in rest},
            ),
            post.on_conflict_do_update(
                index_elements=list(self.keys),
                set_={name: post.excluded[name] for name in rest},
            ),
        )
        return insert, put


def _reader(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """What gives some members of a record."""
    return attrgetter(*names) if len(names) > 1 else lambda record: (getattr(record, names[0]),)
