"""The first schema: the tables that the database keeps for itself."""

from sqlalchemy.schema import CreateIndex, CreateTable

from moorage.sql.changes import CHANGES
from moorage.sql.ledger import ADD_MARK, MARK_NOW, METADATA
from moorage.sql.statement import Statement
from moorage.sql.transaction import Transaction


def upgrade(tx: Transaction) -> None:
    """Make the tables and the mark of time; `migrate.py` itself marks the version."""
    for table in METADATA.sorted_tables:
        tx.run(Statement(CreateTable(table)))
    if tx.dialect == "postgresql":
        tx.run(Statement(CreateTable(CHANGES)))
        for index in sorted(CHANGES.indexes, key=lambda index: str(index.name)):
            tx.run(Statement(CreateIndex(index)))
    tx.run(ADD_MARK, name=MARK_NOW, value=0)
