"""The change feed between servers on one PostgreSQL: rows written in the commit they tell of.

A server tells its own watchers itself, right after the commit; these rows are for the others, who
hear a NOTIFY and look each second besides. A row names its transaction, so that one that commits
late is not missed (a sequence alone would pass it by). Each write leaves a row, if only an unnamed
one: the newest is the time of the last commit. SQLite has one server, and needs none of this.
"""

from collections.abc import Sequence

import sqlalchemy as core

from moorage.ground.instant import Instant, earlier, minutes
from moorage.sql.ledger import MARK_NOW, MARKS, TEXT
from moorage.sql.statement import Statement
from moorage.sql.transaction import Change, Cursor

KEPT = minutes(10)
CHANNEL = "moorage_changes"

CHANGES = core.Table(
    "moorage_changes",
    core.MetaData(),
    core.Column("seq", core.BigInteger, core.Identity(), primary_key=True),
    core.Column("xid", core.BigInteger, nullable=False),
    core.Column("kind", TEXT, nullable=False),
    core.Column("key", TEXT, nullable=False),
    core.Column("at", core.BigInteger, nullable=False),
    core.Column("server", TEXT, nullable=False),
    core.Index("moorage_changes_by_xid", "xid"),
    core.Index("moorage_changes_by_at", "at"),
)

_TELL = Statement(
    core.text("""
        WITH told AS (
            INSERT INTO moorage_changes (xid, kind, key, at, server)
            SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint), woken.kind, woken.key,
                   CAST(:at AS bigint), CAST(:server AS text)
            FROM unnest(CAST(:kinds AS text[]), CAST(:keys AS text[])) AS woken (kind, key)
            RETURNING 1
        )
        SELECT pg_notify('moorage_changes', CAST(:server AS text))
        FROM (SELECT count(*) AS rows FROM told) AS counted WHERE counted.rows > 0
    """)
)
_STAMP = Statement(
    core.text("""
        INSERT INTO moorage_changes (xid, kind, key, at, server)
        SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint), '', '',
               CAST(:at AS bigint), CAST(:server AS text)
        WHERE pg_current_xact_id_if_assigned() IS NOT NULL
    """)
)
_HORIZON = Statement(
    core.text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")
)
_SINCE = Statement(
    core.text("""
        SELECT DISTINCT kind, key FROM moorage_changes
        WHERE xid >= CAST(:low AS bigint) AND xid < CAST(:high AS bigint)
          AND server <> CAST(:server AS text) AND kind <> ''
    """)
)
_NEWEST = Statement(
    core.select(
        core.func.greatest(
            core.select(core.func.max(CHANGES.c.at)).scalar_subquery(),
            core.select(MARKS.c.value).where(MARKS.c.name == MARK_NOW).scalar_subquery(),
        )
    )
)
_TRIM = Statement(
    core.text("""
        WITH marked AS (
            UPDATE moorage_marks SET value = greatest(value, CAST(:newest AS bigint))
            WHERE name = 'now'
        )
        DELETE FROM moorage_changes WHERE at < CAST(:before AS bigint)
    """)
)


def tell(cursor: Cursor, wakes: Sequence[tuple[str, str]], at: Instant, server: str) -> None:
    """Write what the open transaction wakes, or only its time where it wakes nothing."""
    if not wakes:
        _run(cursor, _STAMP, at=at, server=server)
        return
    kinds, keys = [kind for kind, _ in wakes], [key for _, key in wakes]
    _run(cursor, _TELL, at=at, server=server, kinds=kinds, keys=keys)


def newest(cursor: Cursor) -> Instant:
    """The time of the last commit."""
    _run(cursor, _NEWEST)
    return Instant(cursor.fetchall()[0][0])


def horizon(cursor: Cursor) -> int:
    """The transaction before which every other has ended."""
    _run(cursor, _HORIZON)
    return int(cursor.fetchall()[0][0])


def since(cursor: Cursor, low: int, server: str) -> tuple[list[Change], int]:
    """What other servers told in transactions from `low` on, and where to go on from."""
    high = horizon(cursor)
    if high <= low:
        return [], low
    _run(cursor, _SINCE, low=low, high=high, server=server)
    return [Change(kind=kind, key=key) for kind, key in cursor.fetchall()], high


def trim(cursor: Cursor, now: Instant) -> None:
    """Forget what is older than KEPT; the time of the last commit is kept as a mark."""
    _run(cursor, _TRIM, newest=newest(cursor), before=earlier(now, KEPT))


def _run(cursor: Cursor, statement: Statement, **values: object) -> None:
    text, literals = statement.compiled("postgresql")
    cursor.execute(text, {**literals, **values})
