"""Bring a database to this program's schema: forward only, in one transaction, at every start.

Numbered steps change what cannot be derived; then each declared table gets what it lacks: itself,
a column (filled from the documents), an index. An older program refuses a newer schema.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import sqlalchemy as core

from moorage.ground.record import Record
from moorage.sql.document import Table
from moorage.sql.lease import LEASES
from moorage.sql.ledger import ADD_MARK, KEYS_AT_OPEN, MARK_SCHEMA, MARKS, READ_MARK, SET_MARK
from moorage.sql.query import DOCUMENT
from moorage.sql.statement import DIALECTS, Statement
from moorage.sql.transaction import OpenRefused, Transaction

STEPS = ("0001_first",)
SCHEMA = len(STEPS)

_COLUMNS = Statement(
    core.text("SELECT name FROM pragma_table_info(:name)"),
    core.text(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = :name"
    ),
)


def migrate(tx: Transaction, tables: Sequence[Table[Any]]) -> None:
    """Make the schema this program's; raises OpenRefused where a newer program made it."""
    stored = _stored_schema(tx)
    if stored > SCHEMA:
        raise OpenRefused(
            f"The database has schema {stored}, and this program knows schemas up to {SCHEMA}:"
            " it was written by a newer Moorage. Start that one, or a newer one."
        )
    for step in STEPS[stored:]:
        import_module(f"moorage.sql.migrations.{step}").upgrade(tx)
    if stored == 0:
        tx.run(ADD_MARK, name=MARK_SCHEMA, value=SCHEMA)
    elif stored < SCHEMA:
        tx.run(SET_MARK, mark=MARK_SCHEMA, new=SCHEMA)
    declared = (LEASES, *tables)
    names = [table.name for table in declared]
    assert len(set(names)) == len(names), "a table is declared once"
    for table in declared:
        _complete(tx, table)
    for name in KEYS_AT_OPEN:
        tx.key(name)


def _stored_schema(tx: Transaction) -> int:
    if not tx.rows(_COLUMNS, name=MARKS.name):
        return 0
    rows = tx.rows(READ_MARK, name=MARK_SCHEMA)
    return int(rows[0][0]) if rows else 0


def _complete(tx: Transaction, table: Table[Any]) -> None:
    present = {row[0] for row in tx.rows(_COLUMNS, name=table.name)}
    if not present:
        tx.run(table.creation)
    else:
        missing = [name for name in table.names if name not in present]
        if set(missing) & set(table.keys):
            raise OpenRefused(
                f"The table {table.name} is stored under another key: a migration is missing."
            )
        _add_columns(tx, table, missing)
    for creation in table.index_creations:
        tx.run(creation)


def _add_columns(tx: Transaction, table: Table[Any], missing: Sequence[str]) -> None:
    if not missing:
        return
    for name in missing:
        kind = table.sql.c[name].type.compile(DIALECTS[tx.dialect])
        tx.run(Statement(core.text(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}")))
    for (document,) in tx.rows(Statement(core.select(table.sql.c[DOCUMENT]))):
        record: Record = table.decode(document)
        table.put(tx, record)
        tx.known.clear()  # each comes once, and there may be millions
