"""Table: records kept as key columns, the columns that are searched by, and one JSON document.

Columns are read from the record's members (or properties) of the same name; their types from its
annotations. A record gains members without any change of the table.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as core
from sqlalchemy.dialects import postgresql, sqlite

from moorage.ground.fault import Validation
from moorage.ground.record import Record
from moorage.sql.column import column_type
from moorage.sql.query import DOCUMENT, Query
from moorage.sql.statement import Binding, Statement, Value, plain
from moorage.sql.transaction import Transaction

RESERVED = frozenset({DOCUMENT, "limit", "expected"})
IDENTIFIER_LENGTH_MAX = 63  # PostgreSQL, NAMEDATALEN - 1

_R = TypeVar("_R", bound=Record)
_encode = msgspec.json.Encoder().encode


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
        self._read = attrgetter(*self.names) if len(self.names) > 1 else self._only
        self._decode = msgspec.json.Decoder(self.record).decode
        match = [self.sql.c[name] == core.bindparam(name) for name in self.keys]
        found = core.select(self.sql.c[DOCUMENT]).where(*match)
        self._get = Statement(found)
        self._lock = Statement(found, found.with_for_update())
        self._delete = Statement(core.delete(self.sql).where(*match))
        self._insert, self._put = self._insertions()
        self._swap = Statement(
            core.update(self.sql)
            .values({name: core.bindparam(f"new_{name}") for name in self._all})
            .where(*match, self.sql.c[self.version or self.keys[0]] == core.bindparam("expected"))
        )

    @property
    def names(self) -> tuple[str, ...]:
        """All columns but the document, keys first."""
        return (*self.keys, *self.columns)

    def get(self, tx: Transaction, *key: Value) -> _R | None:
        """The record under a key, or None."""
        rows = tx.fetch(self._get, self._named(key))
        return self._decode(rows[0][0]) if rows else None

    def lock(self, tx: Transaction, *key: Value) -> _R | None:
        """`get`, and no other write touches the record until this one has ended."""
        assert tx.writable, "a read locks nothing"
        rows = tx.fetch(self._lock, self._named(key))
        return self._decode(rows[0][0]) if rows else None

    def put(self, tx: Transaction, record: _R) -> None:
        """Keep a record, in place of one with the same key; asserts that unique columns allow."""
        tx.execute(self._put, self.row(record))

    def insert(self, tx: Transaction, record: _R) -> bool:
        """Keep a new record; False where its key or a unique set of columns is taken."""
        return tx.execute(self._insert, self.row(record)) == 1

    def delete(self, tx: Transaction, *key: Value) -> bool:
        """Remove the record under a key; False where there is none."""
        return tx.execute(self._delete, self._named(key)) == 1

    def swap(self, tx: Transaction, record: _R, *, version: int) -> bool:
        """Replace a record whose stored version is `version`; False where it is another or gone.

        The record that is given carries its new version.
        """
        assert self.version, f"the table {self.name} declares no version"
        values = self.row(record)
        assert values[self.version] != version, "a swap changes the version"
        bindings: dict[str, Binding] = {f"new_{name}": value for name, value in values.items()}
        bindings.update((name, values[name]) for name in self.keys)
        bindings["expected"] = version
        return tx.execute(self._swap, bindings) == 1

    def query(
        self, *columns: str, order: Iterable[str] = (), among: str = "", greater: str = ""
    ) -> Query[_R]:
        """A search by equal `columns`, made once at import; see Query."""
        return Query(self, columns, order=tuple(order), among=among, greater=greater)

    def decode(self, document: str) -> _R:
        """The record that a stored document is."""
        return self._decode(document)

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

    def _only(self, record: _R) -> tuple[Any]:
        return (getattr(record, self.keys[0]),)

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
