"""The part of the contract of port Database that is about copies."""

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from moorage.ground.chance import SeededChance
from moorage.sql.copying import CopyFailed, check_copy, pour, reading_copy
from moorage.sql.engine import Database, open_database
from moorage.sql.migrate import SCHEMA
from tests.contract.ships import ALL, SECONDS_MAX, SHIPS, names, run, ship

SHIPS_BEFORE = 3_000
LOADED = "x" * 2_000


def go_on(_done: int, _total: int) -> bool:
    return True


def kept(path: Path) -> list[str]:
    with reading_copy(path, SeededChance(1)) as tx:
        return names(ALL.all(tx))


class CopyContract:
    """Tests of `copy` that hold on every adapter."""

    @pytest.fixture
    def loaded(self, db: Database) -> Database:
        def fill(tx: Any) -> None:
            for number in range(SHIPS_BEFORE):
                SHIPS.put(tx, ship(f"s{number:05}", cargo=LOADED))

        run(db, fill)
        return db

    def test_a_copy_holds_what_was_acknowledged_before_and_a_prefix_of_the_rest(
        self, loaded: Database, tmp_path: Path
    ) -> None:
        """Writes go on meanwhile, one after another: the copy has none without those before it."""
        begun, over = threading.Event(), threading.Event()
        written: list[Future[None]] = []

        def write_on() -> None:
            begun.wait(SECONDS_MAX)
            while not over.is_set():
                number = len(written)
                written.append(
                    loaded.write(lambda tx, n=number: SHIPS.put(tx, ship(f"w{n:05}")))  # type: ignore[misc]
                )
                written[-1].result(SECONDS_MAX)

        def told(_done: int, _total: int) -> bool:
            begun.set()
            return True

        writer = threading.Thread(target=write_on)
        writer.start()
        loaded.copy(tmp_path / "copy.db", told).result(SECONDS_MAX)
        over.set()
        writer.join()
        found = kept(tmp_path / "copy.db")
        later = [name for name in found if name.startswith("w")]
        assert len(found) - len(later) == SHIPS_BEFORE
        assert later == [f"w{number:05}" for number in range(len(later))]
        assert written, "nothing was written meanwhile"
        assert len(run(loaded, ALL.all)) == SHIPS_BEFORE + len(written)
        assert check_copy(tmp_path / "copy.db").schema == SCHEMA
        assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600

    def test_a_copy_that_is_broken_off_harms_nothing(
        self, loaded: Database, tmp_path: Path
    ) -> None:
        with pytest.raises(CopyFailed, match="broken off"):
            loaded.copy(tmp_path / "copy.db", lambda _done, _total: False).result(SECONDS_MAX)
        run(loaded, lambda tx: SHIPS.put(tx, ship("after")))
        loaded.copy(tmp_path / "copy.db", go_on).result(SECONDS_MAX)
        assert "after" in kept(tmp_path / "copy.db")

    def test_a_copy_where_no_file_can_be_is_refused(self, db: Database, tmp_path: Path) -> None:
        with pytest.raises(CopyFailed, match="Cannot make"):
            db.copy(tmp_path / "missing" / "copy.db", go_on).result(SECONDS_MAX)

    def test_either_database_can_be_made_of_a_copy(
        self, db: Database, tmp_path: Path, clock: Any
    ) -> None:
        """With its records, and with the secret keys by which page tokens are sealed."""
        run(db, lambda tx: SHIPS.put(tx, ship("pamir")))
        db.copy(tmp_path / "copy.db", go_on).result(SECONDS_MAX)
        other = open_database(
            f"sqlite:///{tmp_path}/other.db", clock=clock, chance=SeededChance(2), tables=(SHIPS,)
        )
        try:
            with reading_copy(tmp_path / "copy.db", SeededChance(1)) as source:
                run(other, lambda tx: pour(source, tx, (SHIPS,), go_on))
            assert names(run(other, ALL.all)) == ["pamir"]
            sealed = [run(one, lambda tx: tx.key("page")) for one in (db, other)]
            assert sealed[0] == sealed[1]
        finally:
            other.close()
