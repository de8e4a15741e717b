import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from moorage.ground.chance import SeededChance, SystemChance
from moorage.ground.clock import SystemClock
from moorage.sql import connection as sqlite_connection
from moorage.sql import sqlite
from moorage.sql.engine import open_database
from moorage.sql.sqlite import SQLiteDatabase
from moorage.sql.transaction import KNOWN_MAX, OpenRefused, StoreFailed, Transaction
from tests.contract.ships import ALL, SECONDS_MAX, SHIPS, held_up, look, names, run, ship

SOURCE = Path(__file__).parents[2]


def opened(path: Path) -> SQLiteDatabase:
    return SQLiteDatabase(path, clock=SystemClock(), chance=SystemChance(), tables=[SHIPS])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "moorage.db"


@pytest.fixture
def db(path: Path) -> Iterator[SQLiteDatabase]:
    with closing(opened(path)) as database:
        yield database


def left_behind(connection: sqlite3.Connection) -> int:
    """Write a row in a savepoint of a transaction that is rolled back; how many rows stay."""
    connection.execute("SAVEPOINT work")
    connection.execute("INSERT INTO t VALUES (1)")
    connection.execute("RELEASE work")
    connection.rollback()
    return connection.execute("SELECT count(*) FROM t").fetchone()[0]


def test_the_drivers_defaults_would_leave_rows_behind(path: Path):
    """Why we begin ourselves: the driver does not begin for a SAVEPOINT, so RELEASE commits."""
    with closing(sqlite3.connect(path)) as careless:
        careless.execute("CREATE TABLE t (x)")
        assert left_behind(careless) == 1
    with closing(sqlite_connection.open_writer(path)) as ours:
        ours.execute("DELETE FROM t")
        ours.execute("BEGIN IMMEDIATE")
        assert left_behind(ours) == 0


def test_connections_are_set_for_durability(path: Path, db: SQLiteDatabase):
    ask = lambda connection, name: connection.execute(f"PRAGMA {name}").fetchone()[0]
    with closing(sqlite_connection.open_reader(path)) as reader:
        assert ask(reader, "query_only") == 1
        assert ask(reader, "wal_autocheckpoint") == 0
        with pytest.raises(sqlite3.OperationalError):
            reader.execute("DELETE FROM ships")
    assert db._connection.isolation_level is None
    assert ask(db._connection, "journal_mode") == "wal"
    assert ask(db._connection, "synchronous") == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert sqlite.READERS <= 4


def test_a_batch_commits_once_and_answers_after(path: Path, db: SQLiteDatabase):
    """A second connection sees all rows of a batch as soon as the first answer is out."""
    seen: list[int] = []
    other = sqlite3.connect(path, check_same_thread=False)
    count = lambda: other.execute("SELECT count(*) FROM ships").fetchone()[0]
    within: list[int] = []

    def put(tx: Transaction, name: str) -> None:
        SHIPS.put(tx, ship(name))
        within.append(count())

    with closing(other):
        with held_up(db):
            futures = [db.write(lambda tx, name=str(n): put(tx, name)) for n in range(30)]
            futures[0].add_done_callback(lambda _: seen.append(count()))
        for future in futures:
            future.result(SECONDS_MAX)
        run(db, lambda _: None)
    assert within == [0] * 30
    assert seen == [30]


def test_a_batch_is_bounded(db: SQLiteDatabase):
    many = sqlite.BATCH_WORKS_MAX + 50
    told: list[int] = []
    db.watch(lambda changes: told.append(len(changes)))
    with held_up(db):
        futures = [db.write(lambda tx, name=str(n): tx.wake("port", name)) for n in range(many)]
    for future in futures:
        future.result(SECONDS_MAX)
    assert sum(told) == many
    assert max(told) <= sqlite.BATCH_WORKS_MAX


def test_a_failed_commit_fails_every_call_of_its_batch(path: Path, db: SQLiteDatabase):
    run(db, lambda tx: SHIPS.put(tx, ship("before")))
    told: list[object] = []
    db.watch(told.extend)

    def refused(_: Transaction) -> None:
        raise KeyError

    def sabotage(tx: Transaction) -> None:
        # The page that the commit needs cannot be had: SQLITE_FULL takes the transaction away.
        (pages,) = tx._cursor.execute("PRAGMA page_count").fetchone()
        tx._cursor.execute(f"PRAGMA max_page_count={pages}")
        SHIPS.put(tx, ship("large", cargo="x" * 2_000_000))

    with held_up(db):
        first = db.write(lambda tx: (SHIPS.put(tx, ship("a")), tx.wake("port", "kiel")))
        second = db.write(refused)
        third = db.write(sabotage)
    outcomes = [type(f.exception(SECONDS_MAX)) for f in (first, second, third)]
    if outcomes != [type(None), KeyError, StoreFailed]:
        assert outcomes == [StoreFailed] * 3
        assert told == []
    with pytest.raises(StoreFailed, match="full"):
        third.result()
    assert db.failure() is None
    run(db, lambda tx: tx._cursor.execute("PRAGMA max_page_count=1000000").fetchone())
    run(db, lambda tx: SHIPS.put(tx, ship("after")))
    assert {"before", "after"} <= set(look(db, lambda tx: names(ALL.all(tx))))
    # What was written and lost is known to no write after it.
    for name in ("a", "large"):
        read = lambda tx, name=name: SHIPS.get(tx, "kiel", name)
        assert run(db, read) == look(db, read)


@pytest.mark.parametrize("fails", [False, True])
def test_what_is_known_from_one_write_to_the_next_is_bounded(db: SQLiteDatabase, fails: bool):
    def curious(tx: Transaction) -> None:
        for number in range(2 * KNOWN_MAX):
            SHIPS.get(tx, "kiel", str(number))
        if fails:
            raise KeyError

    asked = db.write(curious)
    assert isinstance(asked.exception(SECONDS_MAX), KeyError if fails else type(None))
    assert 0 < len(db._memory.known) <= KNOWN_MAX


CHILD = """
import resource, sys
from pathlib import Path
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.sql.sqlite import SQLiteDatabase
from moorage.sql.transaction import StoreFailed
from tests.contract.ships import ALL, SHIPS, look, run, ship
say = lambda *words: print(*words, flush=True)
path = Path(sys.argv[1])
db = SQLiteDatabase(path, clock=SystemClock(), chance=SystemChance(), tables=[SHIPS])
"""


def child(code: str, *arguments: str, prefix: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", CHILD + textwrap.dedent(code), *arguments],
        cwd=SOURCE,
        env={**os.environ, "PYTHONPATH": f"{SOURCE / 'src'}:{SOURCE}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_was_acknowledged_outlives_a_kill(path: Path):
    """Thirty-two waiters write and say what was acknowledged; the process is killed meanwhile."""
    code = """
    import asyncio
    async def writer(lane):
        for number in range(100_000):
            name = f"{sys.argv[2]}-{lane}-{number}"
            await asyncio.wrap_future(db.write(lambda tx: SHIPS.put(tx, ship(name))))
            say(name)
    async def main():
        await asyncio.gather(*map(writer, range(32)))
    asyncio.run(main())
    """
    for round_number in range(3):
        with child(code, str(path), str(round_number)) as process:
            assert process.stdout is not None
            acknowledged = [process.stdout.readline().strip() for _ in range(1_000)]
            process.send_signal(signal.SIGKILL)
            acknowledged += process.stdout.read().split("\n")[:-1]
        assert all(name.startswith(f"{round_number}-") for name in acknowledged)
        with closing(opened(path)) as db:
            kept = set(look(db, lambda tx: names(ALL.all(tx))))
            assert set(acknowledged) <= kept
            checked = lambda tx: tx._cursor.execute("PRAGMA integrity_check").fetchone()
            assert look(db, checked) == ("ok",)


def test_every_prefix_of_the_log_is_a_prefix_of_the_writes(
    path: Path, db: SQLiteDatabase, tmp_path: Path
):
    """A crash may lose the end of the log, torn anywhere; what was acknowledged before is kept."""
    log = path.with_name("moorage.db-wal")
    sizes = []
    for number in range(12):
        run(db, lambda tx, name=f"{number:02}": SHIPS.put(tx, ship(name, cargo="x" * 3_000)))
        sizes.append(log.stat().st_size)
    content, whole = log.read_bytes(), path.read_bytes()
    copy = tmp_path / "copy.db"
    for cut in sorted({*range(0, len(content), 1_357), *sizes, *(size - 1 for size in sizes)}):
        copy.write_bytes(whole)
        copy.with_name("copy.db-wal").write_bytes(content[:cut])
        with closing(sqlite3.connect(copy)) as crashed:
            assert crashed.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            tables = crashed.execute("SELECT 1 FROM sqlite_master WHERE name = 'ships'").fetchall()
            rows = crashed.execute("SELECT name FROM ships ORDER BY name") if tables else ()
            kept = [name for (name,) in rows]
        acknowledged = sum(size <= cut for size in sizes)
        assert kept == [f"{number:02}" for number in range(len(kept))]
        assert len(kept) == acknowledged


@pytest.mark.parametrize("bytes_max", [150_000, 300_000, 1_000_000])
def test_an_io_error_ends_writing_for_good(path: Path, bytes_max: int):
    """A limit on the size of files makes each write beyond it fail, as a broken disk does."""
    code = """
    run(db, lambda tx: SHIPS.put(tx, ship("before")))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    waiting = [
        db.write(lambda tx, name=str(n): SHIPS.put(tx, ship(name, cargo="x" * 100_000)))
        for n in range(20)
    ]
    outcomes = [future.exception(20) for future in waiting]
    say(sum(error is None for error in outcomes))
    say(all(error is None or type(error) is StoreFailed for error in outcomes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    say(type(db.write(lambda tx: SHIPS.put(tx, ship("late"))).exception(20)).__name__)
    say(type(db.failure()).__name__)
    say(look(db, ALL.count))
    db.close()
    """
    process = child(code, str(path), str(bytes_max))
    out, _ = process.communicate(timeout=60)
    acknowledged, all_failed, late, failure, _ = out.split()
    assert (all_failed, late, failure) == ("True", "StoreFailed", "StoreFailed")
    assert int(acknowledged) < 20
    with closing(opened(path)) as db:
        found = look(db, lambda tx: names(ALL.all(tx)))
        assert "before" in found
        assert "late" not in found
        assert len(found) >= 1 + int(acknowledged)


def test_a_full_disk_refuses_and_recovers(tmp_path: Path):
    """On a file system of 4 MiB: clear refusals while it is full, writes again when it is not."""
    disk = tmp_path / "disk"
    disk.mkdir()
    code = """
    ballast = path.parent / "ballast"
    run(db, lambda tx: SHIPS.put(tx, ship("before")))
    ballast.write_bytes(b"x" * 1_000_000)
    outcomes = []
    for n in range(80):
        work = lambda tx, name=str(n): SHIPS.put(tx, ship(name, cargo="x" * 100_000))
        outcomes.append(db.write(work).exception(20))
    refused = [error for error in outcomes if error is not None]
    say(len(refused) > 0, all(isinstance(e, StoreFailed) and "full" in str(e) for e in refused))
    say(db.failure() is None)
    kept = set(look(db, lambda tx: [one.name for one in ALL.all(tx)]))
    say(kept == {"before"} | {str(n) for n, error in enumerate(outcomes) if error is None})
    ballast.unlink()
    run(db, lambda tx: SHIPS.put(tx, ship("after")))
    say(look(db, lambda tx: SHIPS.get(tx, "kiel", "after")) is not None)
    db.close()
    db = SQLiteDatabase(path, clock=SystemClock(), chance=SystemChance(), tables=[SHIPS])
    say(look(db, ALL.count) == len(kept) + 1)
    db.close()
    """
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    mounted = 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"'
    prefix = ("unshare", *user, "--mount", "sh", "-c", mounted, str(disk))
    process = child(code, str(disk / "moorage.db"), prefix=prefix)
    out, _ = process.communicate(timeout=60)
    assert out.split() == ["True"] * 6


def test_the_log_is_bounded_beside_a_reader_that_never_rests(path: Path, db: SQLiteDatabase):
    """Reads that always overlap keep SQLite from starting its log again; the writer sees to it."""
    stop = threading.Event()
    db._log_bytes_max = limit = 2**20

    def long_read(tx: Transaction) -> None:
        ALL.count(tx)
        stop.wait(0.01)
        ALL.count(tx)

    def keep_reading() -> None:
        while not stop.is_set():
            db.read(long_read).result(SECONDS_MAX)

    readers = [threading.Thread(target=keep_reading) for _ in range(3)]
    for reader in readers:
        reader.start()
    sizes = []
    for n in range(60):
        run(db, lambda tx, n=n: SHIPS.put(tx, ship("a", cargo=str(n) * 50_000)))
        sizes.append(path.with_name("moorage.db-wal").stat().st_size)
        db._log_bytes_max = min(db._log_bytes_max, limit)
    stop.set()
    for reader in readers:
        reader.join(SECONDS_MAX)
    assert max(sizes) < 3 * limit
    assert sizes[-1] < sum(50_000 for _ in range(60))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////nonexistent/folder/moorage.db", "No such file"),
        ("mysql://host/db", "begins with sqlite"),
        ("/just/a/path", "begins with sqlite"),
    ],
)
def test_what_cannot_be_opened_is_refused(url: str, message: str):
    with pytest.raises(OpenRefused, match=message):
        open_database(url, clock=SystemClock(), chance=SeededChance(1), tables=[])


def test_a_file_that_is_no_database_is_refused_and_kept(path: Path):
    path.write_bytes(b"precious" * 1_000)
    with pytest.raises(OpenRefused, match="not a database"):
        opened(path)
    assert path.read_bytes() == b"precious" * 1_000


def test_a_second_process_is_told_who_has_the_database(path: Path, db: SQLiteDatabase):
    process = child("", str(path))
    _, said = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 1
    assert f"in use by process {os.getpid()}" in said
    with pytest.raises(OpenRefused, match=f"process {os.getpid()}"):
        opened(path)


def test_records_are_json_that_others_can_read(path: Path, db: SQLiteDatabase):
    run(db, lambda tx: SHIPS.put(tx, ship("a", flag="de")))
    with closing(sqlite3.connect(path)) as other:
        (document, kind) = other.execute("SELECT document, typeof(document) FROM ships").fetchone()
    assert kind == "text"
    assert json.loads(document) == {
        "port": "kiel", "name": "a", "sign": "kiel/a", "crew": 1, "flag": "de",
    }  # fmt: skip


def test_a_listener_that_raises_ends_writing_but_leaves_nobody_waiting(path: Path):
    db = opened(path)

    def broken(_: object) -> None:
        raise RuntimeError("a bug")

    hook, threading.excepthook = threading.excepthook, lambda _: None
    try:
        db.watch(broken)
        db.write(lambda tx: tx.wake("port", "kiel")).result(SECONDS_MAX)
        db._writer.join(SECONDS_MAX)
        with pytest.raises(StoreFailed):
            db.write(ALL.count).result(SECONDS_MAX)
        assert db.failure() is not None
        db.close()
    finally:
        threading.excepthook = hook
