"""PostgreSQL connections set as we want them, and what their errors mean."""

import os
from typing import Any

import psycopg
from psycopg import errors

from moorage.sql.transaction import Conflict, OpenRefused, StoreFailed

CONNECT_SECONDS = 5
STATEMENT_SECONDS_MAX = 30
STATEMENTS_CACHED = 512
VERSION_MIN = 13_00_00  # pg_current_xact_id
KEEPALIVE_SECONDS = 5

Link = psycopg.Connection[tuple[Any, ...]]


def connect(url: str) -> Link:
    """A connection on which we begin and commit ourselves; raises psycopg.Error."""
    link = psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        application_name=f"moorage process {os.getpid()}",
        client_encoding="UTF8",
        keepalives_idle=KEEPALIVE_SECONDS,
        keepalives_interval=KEEPALIVE_SECONDS,
        keepalives_count=3,
        tcp_user_timeout=3 * KEEPALIVE_SECONDS * 1000,
    )
    link.prepared_max = STATEMENTS_CACHED
    milliseconds = STATEMENT_SECONDS_MAX * 1000
    link.execute(
        "SELECT set_config('statement_timeout', %(time)s, false),"
        " set_config('idle_in_transaction_session_timeout', %(time)s, false)",
        {"time": str(milliseconds)},
    )
    # An acknowledged write is durable, whatever the role or the database was set to.
    link.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    return link


def check_server(link: Link) -> None:
    """Refuse a server that cannot hold the database; raises OpenRefused."""
    if link.info.server_version < VERSION_MIN:
        raise OpenRefused("Moorage needs PostgreSQL 13 or newer.")
    row = link.execute("SHOW server_encoding").fetchone()
    if row != ("UTF8",):
        raise OpenRefused(f"The database's encoding is {row and row[0]}: create it with UTF8.")
    if link.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
        raise OpenRefused("This PostgreSQL server is a read-only replica: name the primary.")


def told(error: BaseException) -> BaseException:
    """What an error of the driver is to the work's caller; any other error is itself."""
    for kind, meaning in _MEANINGS:
        if isinstance(error, kind):
            meant = meaning(error)
            meant.__cause__ = error
            return meant
    return error


def _full(_: BaseException) -> Exception:
    return StoreFailed("The disk under PostgreSQL is full. Free some space and try again.")


def _slow(_: BaseException) -> Exception:
    return StoreFailed("The database took too long. Try again.")


def _lost(_: BaseException) -> Exception:
    return StoreFailed("The connection to the database was lost. Try again.")


def _raced(error: BaseException) -> Exception:
    return Conflict(str(error))


def _taken(error: BaseException) -> Exception:
    # Often only a race that the next attempt sees; a bug where every attempt ends so.
    return Conflict(str(error), AssertionError(f"a put broke a unique set of columns: {error}"))


# The first that fits counts: all but UniqueViolation are kinds of OperationalError.
_MEANINGS = (
    (errors.SerializationFailure, _raced),
    (errors.DeadlockDetected, _raced),
    (errors.UniqueViolation, _taken),
    (errors.DiskFull, _full),
    (errors.QueryCanceled, _slow),
    (psycopg.OperationalError, _lost),
    (psycopg.InterfaceError, _lost),
)
