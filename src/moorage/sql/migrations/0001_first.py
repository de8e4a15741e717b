"""The first schema: the tables that the database keeps for itself."""

from sqlalchemy.schema import CreateTable

from moorage.sql.ledger import ADD_MARK, MARK_NOW, METADATA
from moorage.sql.statement import Statement
from moorage.sql.transaction import Transaction


def upgrade(tx: Transaction) -> None:
    """Make the tables and the mark of time; `migrate.py` itself marks the version."""
    for table in METADATA.sorted_tables:
        tx.run(Statement(CreateTable(table, if_not_exists=True)))
    tx.run(ADD_MARK, name=MARK_NOW, value=0)
