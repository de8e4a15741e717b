"""The tables that the database keeps for itself: marks, secret keys, and changes.

`moorage_marks` holds named integers (the schema's version, the time of the last commit),
`moorage_keys` the secret keys, `moorage_changes` what other servers on one PostgreSQL must hear.
"""

import sqlalchemy as core
from sqlalchemy.dialects import postgresql, sqlite

from moorage.sql.statement import Statement

KEY_BYTES = 32
KEYS_AT_OPEN = ("page", "url")
MARK_NOW = "now"
MARK_SCHEMA = "schema"

TEXT = core.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

METADATA = core.MetaData()
MARKS = core.Table(
    "moorage_marks",
    METADATA,
    core.Column("name", TEXT, primary_key=True),
    core.Column("value", core.BigInteger, nullable=False),
)
KEYS = core.Table(
    "moorage_keys",
    METADATA,
    core.Column("name", TEXT, primary_key=True),
    core.Column("key", core.LargeBinary, nullable=False),
)

READ_KEY = Statement(core.select(KEYS.c.key).where(KEYS.c.name == core.bindparam("name")))
_KEY_VALUES: dict[str, core.BindParameter[object]] = {
    "name": core.bindparam("name"),
    "key": core.bindparam("key"),
}
ADD_KEY = Statement(
    sqlite.insert(KEYS).values(_KEY_VALUES).on_conflict_do_nothing(),
    postgresql.insert(KEYS).values(_KEY_VALUES).on_conflict_do_nothing(),
)
READ_MARK = Statement(core.select(MARKS.c.value).where(MARKS.c.name == core.bindparam("name")))
SET_MARK = Statement(
    core.update(MARKS)
    .values(value=core.bindparam("new"))
    .where(MARKS.c.name == core.bindparam("mark"))
)
ADD_MARK = Statement(
    core.insert(MARKS).values(name=core.bindparam("name"), value=core.bindparam("value"))
)
