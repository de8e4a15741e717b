"""Copies beside the contract: the log's bound, a second copy, a full disk, a damaged file."""

import threading
from pathlib import Path

import pytest

from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock
from moorage.sql.copying import CopyFailed, check_copy
from moorage.sql.sqlite import SQLiteDatabase
from moorage.sql.transaction import StoreFailed
from tests.contract.ships import SECONDS_MAX, SHIPS, held_up, run, ship

CARGO = "x" * 20_000
LOG_BYTES_MAX = 8 * 2**20


@pytest.fixture
def db(tmp_path: Path):
    opened = SQLiteDatabase(
        tmp_path / "moorage.db", clock=ManualClock(), chance=SeededChance(1), tables=(SHIPS,)
    )
    yield opened
    opened.close()


def load(db: SQLiteDatabase, count: int, prefix: str = "s") -> None:
    def fill(tx) -> None:
        for number in range(count):
            SHIPS.put(tx, ship(f"{prefix}{number:05}", cargo=CARGO))

    run(db, fill)


def test_the_log_does_not_grow_with_the_length_of_a_copy(db: SQLiteDatabase, tmp_path: Path):
    """A copy that takes its time, beside writes of several times its bound."""
    load(db, 1_000)
    log = tmp_path / "moorage.db-wal"
    before = log.stat().st_size
    sizes = []

    def told(_done: int, _total: int) -> bool:
        writes = [
            db.write(lambda tx, n=n: SHIPS.put(tx, ship(f"w{n:05}", cargo=CARGO)))
            for n in range(99)
        ]
        sizes.append(log.stat().st_size)
        return bool(writes)

    db.copy(tmp_path / "copy.db", told).result(SECONDS_MAX)
    assert len(sizes) > 15  # so that 30 MB and more were written meanwhile
    assert max(sizes) < before + LOG_BYTES_MAX
    assert check_copy(tmp_path / "copy.db").last_commit > 0


def test_a_second_copy_at_the_same_time_is_refused(db: SQLiteDatabase, tmp_path: Path):
    load(db, 500)
    second = []

    def told(_done: int, _total: int) -> bool:
        if not second:
            second.append(db.copy(tmp_path / "second.db", lambda _d, _t: True))
        return True

    db.copy(tmp_path / "copy.db", told).result(SECONDS_MAX)
    with pytest.raises(CopyFailed, match="already"):
        second[0].result(SECONDS_MAX)


def test_closing_does_not_wait_for_a_copy(tmp_path: Path):
    db = SQLiteDatabase(
        tmp_path / "moorage.db", clock=ManualClock(), chance=SeededChance(1), tables=(SHIPS,)
    )
    load(db, 1_000)
    begun, go_on = threading.Event(), threading.Event()

    def told(_done: int, _total: int) -> bool:
        begun.set()
        return go_on.wait(SECONDS_MAX)

    copying = db.copy(tmp_path / "copy.db", told)
    begun.wait(SECONDS_MAX)
    closing = threading.Thread(target=db.close)
    closing.start()
    go_on.set()
    closing.join(SECONDS_MAX)
    assert not closing.is_alive()
    with pytest.raises(CopyFailed, match="broken off"):
        copying.result(SECONDS_MAX)


@pytest.mark.parametrize(
    "content",
    [b"", b"no database", b"SQLite format 3\0" + b"\0" * 4080],
    ids=["empty", "x", "torn"],
)
def test_what_is_no_copy_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "copy.db"
    path.write_bytes(content)
    with pytest.raises(CopyFailed):
        check_copy(path)


def test_a_copy_whose_batch_was_lost_ends_with_it_and_writing_goes_on(
    db: SQLiteDatabase, tmp_path: Path
):
    """It once was made after the next batch all the same, told twice how it ended, and ended all."""

    def sabotage(tx) -> None:
        (pages,) = tx._cursor.execute("PRAGMA page_count").fetchone()
        tx._cursor.execute(f"PRAGMA max_page_count={pages}")
        SHIPS.put(tx, ship("large", cargo="x" * 2_000_000))

    run(db, lambda tx: SHIPS.put(tx, ship("before")))
    with held_up(db):
        copying = db.copy(tmp_path / "copy.db", lambda _done, _total: True)
        lost = db.write(sabotage)
    for future in (lost, copying):
        with pytest.raises(StoreFailed, match="full"):
            future.result(SECONDS_MAX)
    run(db, lambda tx: tx._cursor.execute("PRAGMA max_page_count=1000000").fetchone())
    run(db, lambda tx: SHIPS.put(tx, ship("after")))
    assert not (tmp_path / "copy.db").exists()
    db.copy(tmp_path / "copy.db", lambda _done, _total: True).result(SECONDS_MAX)
