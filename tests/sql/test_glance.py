"""Short reads in the caller's thread: what `look` promises on each database, and where it ends."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.sql import glance
from moorage.sql.engine import Database, open_database
from moorage.sql.transaction import StoreFailed, Transaction
from tests.contract.ships import SECONDS_MAX, SHIPS, names, run, ship


def opened(url: str) -> Database:
    return open_database(url, clock=SystemClock(), chance=SystemChance(), tables=[SHIPS])


@pytest.fixture(params=["file", "memory", pytest.param("postgresql", marks=pytest.mark.postgres)])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    urls = {"file": f"sqlite:///{tmp_path / 'moorage.db'}", "memory": "sqlite://:memory:"}
    url = urls.get(request.param) or request.getfixturevalue("postgres_url")
    with closing(opened(url)) as database:
        yield database


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    with closing(opened(f"sqlite:///{tmp_path / 'moorage.db'}")) as database:
        yield database


def looked(db: Database, work):
    return db.look(work).result(SECONDS_MAX)


def names_and_thread(tx: Transaction) -> tuple[list[str], threading.Thread]:
    return names(SHIPS.query().all(tx)), threading.current_thread()


def fleet(db: Database, count: int) -> None:
    def work(tx: Transaction) -> None:
        for number in range(count):
            SHIPS.put(tx, ship(f"ship-{number:05}"))

    run(db, work)


def test_a_look_sees_every_write_that_was_acknowledged(db: Database):
    for number in range(20):
        run(db, lambda tx, number=number: SHIPS.put(tx, ship(f"ship-{number:02}")))
        found, _ = looked(db, names_and_thread)
        assert len(found) == number + 1


def test_what_a_look_raises_is_the_callers(db: Database):
    def work(tx: Transaction) -> None:
        raise LookupError("nothing like that here")

    with pytest.raises(LookupError, match="nothing like that"):
        looked(db, work)
    assert looked(db, names_and_thread)[0] == []


def test_a_look_writes_nothing(db: Database):
    with pytest.raises(AssertionError, match="a read does not write"):
        looked(db, lambda tx: SHIPS.put(tx, ship("ghost")))
    assert looked(db, names_and_thread)[0] == []


def test_many_threads_look_at_once(db: Database):
    fleet(db, 50)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: looked(db, names_and_thread)[0], range(200)))
    assert {len(one) for one in found} == {50}


def test_a_closed_database_is_not_looked_at(db: Database):
    db.close()
    with pytest.raises(StoreFailed):
        looked(db, names_and_thread)


def test_a_short_look_is_run_by_the_caller_and_a_long_one_is_not(file: Database):
    """Ten ships are seen at once; thousands are begun again in a thread, and come whole."""
    fleet(file, 10)
    found, thread = looked(file, names_and_thread)
    assert (len(found), thread) == (10, threading.current_thread())
    many = glance.STEPS_MAX // 2
    fleet(file, many)
    found, thread = looked(file, names_and_thread)
    assert len(found) == many
    assert thread is not threading.current_thread()
    assert thread.name.startswith("sql-read-")
    _, thread = looked(
        file, lambda tx: (SHIPS.get(tx, "kiel", "ship-00001"), threading.current_thread())
    )
    assert thread is threading.current_thread()


def test_a_look_within_a_look_finds_the_connection_taken_and_goes_elsewhere(file: Database):
    fleet(file, 3)

    def outer(tx: Transaction) -> tuple[int, threading.Thread]:
        inner, thread = looked(file, names_and_thread)
        return len(inner), thread

    count, thread = looked(file, outer)
    assert count == 3
    assert thread is not threading.current_thread()
