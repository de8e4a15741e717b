import contextlib
import os
import resource
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from moorage.ground.chance import SystemChance
from moorage.ground.clock import ManualClock, SystemClock
from moorage.ground.fault import Unavailable
from moorage.ground.instant import earlier, later, minutes, seconds
from moorage.ground.record import evolve
from moorage.sql import changes
from moorage.sql.postgresql import PostgreSQLDatabase
from moorage.sql.session import POLL_SECONDS
from moorage.sql.transaction import Change, OpenRefused, StoreFailed, Transaction
from tests.contract.ships import ALL, CREWED, SECONDS_MAX, SHIPS, look, names, run, ship
from tests.postgres import PostgresServer

pytestmark = pytest.mark.postgres
RECOVERY_SECONDS_MAX = 5
FILES = 1300


def opened(url: str) -> PostgreSQLDatabase:
    return PostgreSQLDatabase(url, clock=SystemClock(), chance=SystemChance(), tables=[SHIPS])


@pytest.fixture
def db(postgres_url: str) -> Iterator[PostgreSQLDatabase]:
    with closing(opened(postgres_url)) as database:
        yield database


@pytest.fixture
def beside(postgres_url: str) -> Iterator[psycopg.Connection]:
    with closing(psycopg.connect(postgres_url, autocommit=True)) as link:
        yield link


def settle(db: PostgreSQLDatabase, work=ALL.count) -> float:
    """Write until it goes through; how many seconds that took."""
    clock = SystemClock()
    start = clock.monotonic()
    pause = threading.Event()
    while (waited := (clock.monotonic() - start) / 1e6) < SECONDS_MAX:
        if db.write(work).exception(SECONDS_MAX) is None:
            return waited
        pause.wait(0.05)
    raise AssertionError("the database did not come back")


def test_two_that_each_saw_the_other_missing_do_not_both_write(db: PostgreSQLDatabase):
    """Write skew: at most one ship a port, checked by a search that locks nothing."""
    together = threading.Barrier(2)
    runs: list[str] = []

    def moor(tx: Transaction, name: str) -> bool:
        free = CREWED.count(tx, crew=[7]) == 0
        runs.append(name)
        if len(runs) <= 2:
            together.wait(SECONDS_MAX)
        if free:
            SHIPS.put(tx, ship(name, crew=7))
        return free

    futures = [db.write(lambda tx, name=name: moor(tx, name)) for name in "ab"]
    assert sorted(future.result(SECONDS_MAX) for future in futures) == [False, True]
    assert look(db, lambda tx: CREWED.count(tx, crew=[7])) == 1
    assert len(runs) == 3


def test_a_deadlock_is_run_again(db: PostgreSQLDatabase):
    run(db, lambda tx: [SHIPS.put(tx, ship(name, crew=0)) for name in "ab"])
    together = threading.Barrier(2)
    runs: list[int] = []

    def crossed(tx: Transaction, order: str) -> None:
        runs.append(1)
        for name in order:
            found = SHIPS.lock(tx, "kiel", name)
            assert found is not None
            SHIPS.put(tx, evolve(found, crew=found.crew + 1))
            if len(runs) <= 2 and name == order[0]:
                together.wait(SECONDS_MAX)

    futures = [db.write(lambda tx, order=order: crossed(tx, order)) for order in ("ab", "ba")]
    for future in futures:
        future.result(SECONDS_MAX)
    assert [one.crew for one in look(db, ALL.all)] == [2, 2]


def test_a_lost_connection_fails_its_work_and_the_next_goes_through(
    db: PostgreSQLDatabase, beside: psycopg.Connection
):
    def cut_off(tx: Transaction) -> None:
        SHIPS.put(tx, ship("lost"))
        pid = tx._cursor.connection.info.backend_pid
        beside.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        SHIPS.put(tx, ship("lost too"))

    with pytest.raises(StoreFailed, match="connection"):
        run(db, cut_off)
    assert settle(db, lambda tx: SHIPS.put(tx, ship("kept"))) < RECOVERY_SECONDS_MAX
    assert look(db, lambda tx: names(ALL.all(tx))) == ["kept"]


def test_connections_that_were_lost_while_idle_are_not_noticed(
    db: PostgreSQLDatabase, beside: psycopg.Connection
):
    for _ in range(20):
        run(db, lambda tx: SHIPS.put(tx, ship("a")))
        look(db, ALL.count)
    beside.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database() AND pid <> %s",
        [db._session.link.info.backend_pid],
    )
    for _ in range(20):
        run(db, lambda tx: SHIPS.put(tx, ship("b")))
        look(db, ALL.count)


def test_nothing_is_written_without_the_hold_on_the_database(
    db: PostgreSQLDatabase, beside: psycopg.Connection, postgres_url: str
):
    beside.execute("SELECT pg_advisory_lock_shared(1)")
    pid = db._session.link.info.backend_pid
    beside.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert settle(db) < RECOVERY_SECONDS_MAX
    assert db._session.link.info.backend_pid != pid
    with pytest.raises(OpenRefused, match="in use by moorage process"):
        opened(postgres_url)


def test_the_hold_is_kept_beside_thousands_of_sockets(postgres_url: str):
    """select(2) watches no file whose number is above 1023: the hold was lost for good."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], FILES + 256), limits[1]))
    with contextlib.ExitStack() as others:
        others.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        for _ in range(FILES):
            others.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        with closing(opened(postgres_url)) as db:
            assert db._session.link.fileno() > FILES
            threading.Event().wait(1.5 * POLL_SECONDS)
            run(db, lambda tx: SHIPS.put(tx, ship("kept")))


def test_a_server_that_is_gone_and_comes_back():
    with tempfile.TemporaryDirectory(prefix="moorage-postgres-") as folder:
        server = PostgresServer(Path(folder), durable=True)
        server.start()
        with closing(opened(server.create())) as db:
            run(db, lambda tx: SHIPS.put(tx, ship("before")))
            server.stop("immediate")
            for refused in (db.write(ALL.count), db.read(ALL.count)):
                with pytest.raises(Unavailable):
                    refused.result(SECONDS_MAX)
            server.start()
            assert settle(db) < RECOVERY_SECONDS_MAX
            assert look(db, lambda tx: names(ALL.all(tx))) == ["before"]
            assert db.failure() is None
        server.stop("immediate")


def test_changes_of_another_server_are_heard_at_once_and_by_looking(
    db: PostgreSQLDatabase, beside: psycopg.Connection
):
    told: list[Change] = []
    heard = threading.Event()

    def listen(found):
        told.extend(found)
        heard.set()

    db.watch(listen)
    with beside.transaction(), beside.cursor() as cursor:
        changes.tell(cursor, [("port", "kiel"), ("port", "oslo")], SystemClock().now(), "other")
    assert heard.wait(SECONDS_MAX)
    heard.clear()
    with beside.transaction():
        beside.execute(
            "INSERT INTO moorage_changes (xid, kind, key, at, server)"
            " VALUES (CAST(CAST(pg_current_xact_id() AS text) AS bigint), 'port', 'rome', 0, 'x')"
        )
    assert heard.wait(SECONDS_MAX), "a look each second finds what no NOTIFY told"
    kinds = sorted((change.kind, change.key) for change in told)
    assert kinds == [("port", "kiel"), ("port", "oslo"), ("port", "rome")]


def test_our_own_changes_are_told_once(db: PostgreSQLDatabase):
    told: list[Change] = []
    db.watch(told.extend)
    run(db, lambda tx: tx.wake("port", "kiel"))
    threading.Event().wait(2 * POLL_SECONDS)
    assert told == [Change(kind="port", key="kiel")]


def test_a_change_that_commits_late_is_not_missed(postgres_url: str, beside: psycopg.Connection):
    """The later row commits first: who went by the sequence alone would never see the earlier."""
    opened(postgres_url).close()
    clock = ManualClock()
    with closing(psycopg.connect(postgres_url)) as slow, beside.cursor() as cursor:
        low = changes.horizon(cursor)
        with slow.cursor() as behind:
            changes.tell(behind, [("port", "slow")], clock.now(), "other")
        changes.tell(cursor, [("port", "fast")], clock.now(), "other")
        first, low = changes.since(cursor, low, "us")
        slow.commit()
        second, low = changes.since(cursor, low, "us")
        third, _ = changes.since(cursor, low, "us")
    assert sorted(change.key for change in first + second) == ["fast", "slow"]
    assert third == []


def test_old_changes_go_and_the_time_of_the_last_commit_stays(
    postgres_url: str, beside: psycopg.Connection
):
    opened(postgres_url).close()
    now = SystemClock().now()
    old, new = earlier(now, minutes(11)), earlier(now, minutes(9))
    with beside.cursor() as cursor:
        cursor.execute("DELETE FROM moorage_changes")
        changes.tell(cursor, [("port", "old")], old, "other")
        changes.tell(cursor, [("port", "new")], new, "other")
        changes.trim(cursor, now)
        assert cursor.execute("SELECT key FROM moorage_changes").fetchall() == [("new",)]
        changes.trim(cursor, later(now, seconds(1000)))
        assert cursor.execute("SELECT key FROM moorage_changes").fetchall() == []
        assert changes.newest(cursor) == new


def test_the_time_of_a_write_without_changes_is_kept(
    db: PostgreSQLDatabase, beside: psycopg.Connection
):
    told: list[Change] = []
    db.watch(told.extend)
    now = run(db, lambda tx: (SHIPS.put(tx, ship("a")), tx.now)[1])
    run(db, ALL.count)
    with beside.cursor() as cursor:
        assert changes.newest(cursor) == now
    assert told == []


def test_a_work_that_hides_a_failed_statement_is_not_taken_for_committed(db: PostgreSQLDatabase):
    def hiding(tx: Transaction) -> None:
        SHIPS.put(tx, ship("a"))
        with pytest.raises(psycopg.Error):
            SHIPS.put(tx, ship("b", sign="kiel/a"))

    with pytest.raises((AssertionError, StoreFailed, psycopg.Error)):
        run(db, hiding)
    assert look(db, ALL.count) == 0


def test_what_was_acknowledged_is_durable_whatever_the_database_was_set_to(
    postgres_url: str, beside: psycopg.Connection
):
    beside.execute(
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database()"
        " || ' SET synchronous_commit = off'; END $$"
    )
    with closing(opened(postgres_url)) as db:
        asked = lambda tx: tx._cursor.execute("SHOW synchronous_commit").fetchone()
        assert run(db, asked) == ("on",)


def test_a_server_that_cannot_be_reached_is_refused(tmp_path: Path):
    with pytest.raises(OpenRefused, match="Cannot reach"):
        opened(f"postgresql:///none?host={tmp_path}")


def test_a_database_that_is_not_utf8_is_refused(postgres_server: PostgresServer):
    with psycopg.connect(postgres_server.url(), autocommit=True) as link:
        link.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(OpenRefused, match="UTF8"):
        opened(postgres_server.url("latin"))
