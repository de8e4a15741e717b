"""The part of the contract of port Database that is about searches."""

import pytest

from moorage.ground.instant import Instant
from moorage.sql.engine import Database
from moorage.sql.transaction import Transaction
from tests.contract.database_known import KnownContract
from tests.contract.ships import (
    AFTER,
    ALL,
    BY_FLAG,
    CREWED,
    CREWS,
    NAMED,
    OF_FLAG,
    OF_PORT,
    OLDEST_FIRST,
    SHIPS,
    look,
    names,
    run,
    ship,
)


class SearchContract(KnownContract):
    """Tests of queries on the fixture `db`, which a subclass gives."""

    @pytest.fixture
    def fleet(self, db: Database) -> Database:
        fleet = [
            ship("c", crew=3, flag="de", built=Instant(1)),
            ship("a", crew=2, flag=None, built=Instant(3)),
            ship("B", crew=2, flag="dk", built=Instant(3)),
            ship("ä", crew=1, flag=None, built=Instant(2)),
            ship("a", port="oslo", crew=9, flag="no"),
        ]
        run(db, lambda tx: [SHIPS.put(tx, one) for one in fleet])
        return db

    def test_orders_by_columns_then_by_keys_in_the_order_of_code_points(self, fleet: Database):
        assert look(fleet, lambda tx: names(OF_PORT.all(tx, port="kiel"))) == ["ä", "B", "a", "c"]
        found = look(fleet, lambda tx: names(OLDEST_FIRST.all(tx, port="kiel")))
        assert found == ["B", "a", "ä", "c"]
        assert look(fleet, lambda tx: names(ALL.all(tx))) == ["B", "a", "c", "ä", "a"]

    def test_orders_none_before_all(self, fleet: Database):
        found = look(fleet, lambda tx: [one.flag for one in BY_FLAG.all(tx)])
        assert found == [None, None, "de", "dk", "no"]

    def test_limits_and_finds_the_first(self, fleet: Database):
        assert look(fleet, lambda tx: names(OF_PORT.all(tx, port="kiel", limit=2))) == ["ä", "B"]
        assert look(fleet, lambda tx: OF_PORT.all(tx, port="kiel", limit=0)) == []
        first = look(fleet, lambda tx: OF_PORT.first(tx, port="kiel"))
        assert first is not None
        assert first.name == "ä"
        assert look(fleet, lambda tx: OF_PORT.first(tx, port="rome")) is None

    def test_none_matches_none(self, fleet: Database):
        assert look(fleet, lambda tx: names(OF_FLAG.all(tx, flag=None))) == ["a", "ä"]
        assert look(fleet, lambda tx: OF_FLAG.count(tx, flag=None)) == 2

    def test_matches_one_column_against_a_list(self, fleet: Database):
        found = look(fleet, lambda tx: names(NAMED.all(tx, port="kiel", name=["c", "ä", "x"])))
        assert found == ["c", "ä"]
        assert look(fleet, lambda tx: names(CREWED.all(tx, crew=[9, 1]))) == ["ä", "a"]
        assert look(fleet, lambda tx: NAMED.all(tx, port="kiel", name=[])) == []
        assert look(fleet, lambda tx: NAMED.count(tx, port="kiel", name=())) == 0
        many = [f"n{number}" for number in range(5_000)]
        assert look(fleet, lambda tx: NAMED.count(tx, port="kiel", name=[*many, "a"])) == 1
        assert run(fleet, lambda tx: NAMED.delete(tx, port="kiel", name=["a", "c"])) == 2
        assert run(fleet, lambda tx: NAMED.delete(tx, port="kiel", name=[])) == 0

    def test_counts_by_the_values_of_columns(self, fleet: Database):
        found = look(fleet, lambda tx: CREWS.tallied(tx, port="kiel"))
        assert found == {(3, "de"): 1, (2, None): 1, (2, "dk"): 1, (1, None): 1}
        assert look(fleet, lambda tx: CREWS.tallied(tx, port="rome")) == {}

    def test_pages_by_key(self, fleet: Database):
        def pages(tx: Transaction) -> list[list[str]]:
            turned, after = [], None
            for _ in range(3):
                page = AFTER.all(tx, port="kiel", name=after, limit=2)
                turned.append(names(page))
                after = page[-1].name if page else after
            return turned

        assert look(fleet, pages) == [["B", "a"], ["c", "ä"], []]

    def test_counts_and_deletes_what_it_finds(self, fleet: Database):
        assert look(fleet, lambda tx: OF_PORT.count(tx, port="kiel")) == 4
        assert look(fleet, lambda tx: OF_PORT.keys(tx, port="oslo")) == [("oslo", "a")]
        assert run(fleet, lambda tx: OF_PORT.delete(tx, port="kiel")) == 4
        assert look(fleet, lambda tx: names(ALL.all(tx))) == ["a"]
