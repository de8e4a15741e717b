"""The contract of port Database, continued: what is known need not be read, and is never untrue."""

import pytest

from moorage.ground.fault import Validation
from moorage.ground.record import evolve
from moorage.sql.engine import Database
from moorage.sql.transaction import Transaction
from tests.contract.ships import ALL, OF_FLAG, OF_PORT, SHIPS, look, names, run, ship


class KnownContract:
    """Tests of what one write, or the next, knows already; a subclass gives `db`."""

    def test_a_swap_of_what_was_read_before_writes_each_column_that_changed(self, db: Database):
        run(db, lambda tx: SHIPS.put(tx, ship("a", crew=1, flag="red")))

        def work(tx: Transaction) -> bool:
            read = SHIPS.get(tx, "kiel", "a")
            assert read is not None
            return SHIPS.swap(tx, evolve(read, flag="blue", cargo="new", version=2), version=1)

        assert run(db, work)
        assert look(db, lambda tx: names(OF_FLAG.all(tx, flag="blue"))) == ["a"]
        assert look(db, lambda tx: names(OF_FLAG.all(tx, flag="red"))) == []
        found = look(db, lambda tx: SHIPS.get(tx, "kiel", "a"))
        assert found == ship("a", crew=1, flag="blue", cargo="new", version=2)

    def test_what_a_failed_write_wrote_or_removed_is_unknown_to_the_next(self, db: Database):
        run(db, lambda tx: SHIPS.put(tx, ship("a", cargo="first")))

        def refused(tx: Transaction) -> None:
            SHIPS.put(tx, ship("a", cargo="lost"))
            SHIPS.delete(tx, "kiel", "a")
            assert SHIPS.get(tx, "kiel", "a") is None
            SHIPS.put(tx, ship("b"))
            raise Validation("no")

        with pytest.raises(Validation):
            run(db, refused)
        assert run(db, lambda tx: SHIPS.get(tx, "kiel", "b")) is None
        assert run(db, lambda tx: SHIPS.get(tx, "kiel", "a")) == ship("a", cargo="first")

    def test_what_a_search_removes_is_known_no_longer(self, db: Database):
        run(db, lambda tx: SHIPS.put(tx, ship("a")))
        assert run(db, lambda tx: SHIPS.get(tx, "kiel", "b")) is None
        run(db, lambda tx: SHIPS.insert(tx, ship("b")))
        assert run(db, lambda tx: names(ALL.all(tx))) == ["a", "b"]
        assert run(db, lambda tx: OF_PORT.delete(tx, port="kiel")) == 2
        assert run(db, lambda tx: SHIPS.get(tx, "kiel", "a")) is None
