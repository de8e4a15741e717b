"""The contract of port Database: what every adapter promises, as one suite.

A runner gives the fixture `url`. DurableDatabaseContract is for adapters whose facts outlive the
process, so that the database can be opened again.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, wait
from contextlib import closing
from typing import Any

import pytest

from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock
from moorage.ground.fault import Fault, Unavailable, Validation
from moorage.ground.instant import Instant, hours, seconds
from moorage.ground.record import evolve
from moorage.sql import lease
from moorage.sql.document import Table
from moorage.sql.engine import Database, open_database
from moorage.sql.ledger import SET_MARK
from moorage.sql.transaction import ATTEMPTS_MAX, Change, Conflict, StoreFailed, Transaction
from tests.contract.database_law import check_equals_a_dictionary
from tests.contract.database_search import SearchContract
from tests.contract.ships import (
    ALL,
    CREWED,
    NAMED,
    OF_FLAG,
    OF_PORT,
    SECONDS_MAX,
    SHIPS,
    Ship,
    held_up,
    look,
    names,
    run,
    ship,
)


class DatabaseContract(SearchContract):
    """Tests that hold on every adapter; a subclass gives `url`."""

    @pytest.fixture
    def url(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def open_one(self, url: str, clock: ManualClock) -> Callable[..., Database]:
        def opened(*tables: Table[Any]) -> Database:
            wanted = tables or (SHIPS,)
            return open_database(url, clock=clock, chance=SeededChance(1), tables=wanted)

        return opened

    @pytest.fixture
    def db(self, open_one: Callable[..., Database]) -> Iterator[Database]:
        with closing(open_one()) as database:
            yield database

    # Records

    def test_keeps_a_record_whole(self, db: Database):
        one = ship("möwe", flag="de", built=Instant(7), cargo='äß "quoted" \0 % :x %(y)s 🚢')
        run(db, lambda tx: SHIPS.put(tx, one))
        assert look(db, lambda tx: SHIPS.get(tx, "kiel", "möwe")) == one
        assert look(db, lambda tx: SHIPS.get(tx, "kiel", "none")) is None

    def test_put_replaces_and_keeps_the_columns_true(self, db: Database):
        run(db, lambda tx: SHIPS.put(tx, ship("a", flag="de")))
        run(db, lambda tx: SHIPS.put(tx, ship("a", flag="dk")))
        assert look(db, lambda tx: OF_FLAG.count(tx, flag="de")) == 0
        assert look(db, lambda tx: names(OF_FLAG.all(tx, flag="dk"))) == ["a"]

    def test_insert_is_refused_by_key_and_by_unique_columns(self, db: Database):
        assert run(db, lambda tx: SHIPS.insert(tx, ship("a", cargo="first")))
        assert not run(db, lambda tx: SHIPS.insert(tx, ship("a", sign="other")))
        assert not run(db, lambda tx: SHIPS.insert(tx, ship("b", sign="kiel/a")))
        assert [one.cargo for one in look(db, ALL.all)] == ["first"]

    def test_put_on_a_taken_unique_column_is_a_bug(self, db: Database):
        run(db, lambda tx: SHIPS.put(tx, ship("a")))
        with pytest.raises(AssertionError, match="unique"):
            run(db, lambda tx: SHIPS.put(tx, ship("b", sign="kiel/a")))
        assert look(db, ALL.count) == 1

    def test_delete_says_whether_there_was_one(self, db: Database):
        run(db, lambda tx: SHIPS.put(tx, ship("a")))
        assert run(db, lambda tx: SHIPS.delete(tx, "kiel", "a"))
        assert not run(db, lambda tx: SHIPS.delete(tx, "kiel", "a"))

    def test_swap_writes_only_over_the_version_it_was_told(self, db: Database):
        run(db, lambda tx: SHIPS.put(tx, ship("a")))
        new = ship("a", version=2, cargo="new")
        assert run(db, lambda tx: SHIPS.swap(tx, new, version=1))
        stale = ship("a", version=2, cargo="stale")
        assert not run(db, lambda tx: SHIPS.swap(tx, stale, version=1))
        assert not run(db, lambda tx: SHIPS.swap(tx, ship("gone", version=2), version=1))
        assert look(db, ALL.all) == [new]

    def test_lock_reads_like_get(self, db: Database):
        run(db, lambda tx: SHIPS.put(tx, ship("a")))
        assert run(db, lambda tx: SHIPS.lock(tx, "kiel", "a")) == ship("a")
        assert run(db, lambda tx: SHIPS.lock(tx, "kiel", "b")) is None

    @pytest.mark.parametrize(
        "wrong",
        [
            ship("a\0b"),
            ship("a", sign="\0"),
            ship("a", crew=2**63),
            ship("a", crew=-(2**63) - 1),
            ship("\ud800"),
            ship("a", cargo="\udfff"),
        ],
    )
    def test_what_cannot_be_kept_is_refused(self, db: Database, wrong: Ship):
        with pytest.raises(Validation):
            run(db, lambda tx: SHIPS.put(tx, wrong))
        assert look(db, ALL.count) == 0

    def test_a_search_for_what_cannot_be_kept_is_refused(self, db: Database):
        for search in (
            lambda tx: SHIPS.get(tx, "a\0", "b"),
            lambda tx: OF_PORT.all(tx, port="\0"),
            lambda tx: NAMED.all(tx, port="a", name=["b", "c\0"]),
        ):
            with pytest.raises(Validation):
                look(db, search)

    def test_keeps_the_longest_integers(self, db: Database):
        run(db, lambda tx: SHIPS.put(tx, ship("a", crew=2**63 - 1)))
        run(db, lambda tx: SHIPS.put(tx, ship("b", crew=-(2**63))))
        assert look(db, lambda tx: names(OF_PORT.all(tx, port="kiel"))) == ["b", "a"]

    # Works

    def test_a_work_that_raises_leaves_nothing_and_fails_alone(self, db: Database):
        class Refused(Fault):
            pass

        def refused(tx: Transaction) -> None:
            SHIPS.put(tx, ship("lost"))
            SHIPS.delete(tx, "kiel", "a")
            tx.wake("port", "lost")
            raise Refused("no")

        told: list[Change] = []
        db.watch(told.extend)
        with held_up(db):
            first = db.write(lambda tx: SHIPS.put(tx, ship("a")))
            second = db.write(refused)
            third = db.write(lambda tx: SHIPS.put(tx, ship("b")))
        assert first.result(SECONDS_MAX) is None
        with pytest.raises(Refused):
            second.result(SECONDS_MAX)
        assert third.result(SECONDS_MAX) is None
        assert look(db, lambda tx: names(ALL.all(tx))) == ["a", "b"]
        assert told == []

    def test_a_read_sees_what_was_acknowledged_before(self, db: Database):
        for number in range(50):
            run(db, lambda tx, crew=number: SHIPS.put(tx, ship("a", crew=crew)))
            found = look(db, lambda tx: SHIPS.get(tx, "kiel", "a"))
            assert found is not None
            assert found.crew == number

    def test_a_read_cannot_write(self, db: Database):
        for wrong in (
            lambda tx: SHIPS.put(tx, ship("a")),
            lambda tx: SHIPS.lock(tx, "kiel", "a"),
            lambda tx: OF_PORT.delete(tx, port="kiel"),
            lambda tx: tx.wake("port", "kiel"),
            lambda tx: tx.key("never made"),
        ):
            with pytest.raises(AssertionError):
                look(db, wrong)
        assert look(db, ALL.count) == 0
        run(db, lambda tx: SHIPS.put(tx, ship("a")))

    def test_a_transaction_does_not_outlive_its_work(self, db: Database):
        for kept in (run(db, lambda tx: tx), look(db, lambda tx: tx)):
            with pytest.raises(AssertionError, match="outlive"):
                ALL.all(kept)

    def test_a_lost_race_is_run_again(self, db: Database):
        runs: list[int] = []

        def contended(tx: Transaction) -> int:
            runs.append(1)
            SHIPS.put(tx, ship(f"try-{len(runs)}"))
            if len(runs) < 3:
                raise Conflict
            return len(runs)

        assert run(db, contended) == 3
        assert look(db, lambda tx: names(ALL.all(tx))) == ["try-3"]

    def test_a_race_lost_forever_ends_as_unavailable(self, db: Database):
        runs: list[int] = []

        def contended(tx: Transaction) -> None:
            runs.append(1)
            raise Conflict

        with pytest.raises(Unavailable):
            run(db, contended)
        assert len(runs) == ATTEMPTS_MAX

    def test_counting_by_many_loses_no_count(self, db: Database):
        run(db, lambda tx: SHIPS.put(tx, ship("a", crew=0)))

        def board(tx: Transaction) -> None:
            found = SHIPS.lock(tx, "kiel", "a")
            assert found is not None
            SHIPS.put(tx, evolve(found, crew=found.crew + 1))

        futures = [db.write(board) for _ in range(60)]
        done = sum(1 for future in futures if future.exception(SECONDS_MAX) is None)
        found = look(db, lambda tx: SHIPS.get(tx, "kiel", "a"))
        assert found is not None
        assert found.crew == done
        assert done >= 40

    def test_a_cancelled_work_is_not_run(self, db: Database):
        ran: list[str] = []
        with held_up(db):
            futures = [
                db.write(lambda _, name=str(number): ran.append(name)) for number in range(40)
            ]
            cancelled = [future for future in futures if future.cancel()]
        wait(futures, SECONDS_MAX)
        assert cancelled
        assert len(ran) == len(futures) - len(cancelled)
        with pytest.raises(CancelledError):
            cancelled[0].result()

    # Time, changes and keys

    def test_time_stands_still_in_a_work_and_never_goes_back(
        self, db: Database, clock: ManualClock
    ):
        first = run(db, lambda tx: (tx.now, SHIPS.put(tx, ship("a")))[0])
        assert first == clock.now()
        clock.jump(hours(-1))
        assert run(db, lambda tx: tx.now) == first
        assert look(db, lambda tx: tx.now) == first
        clock.jump(hours(2))
        assert run(db, lambda tx: tx.now) == clock.now() > first

    def test_changes_are_told_once_in_order_and_before_the_answer(self, db: Database):
        told: list[Sequence[Change]] = []
        db.watch(told.append)

        def work(tx: Transaction) -> None:
            SHIPS.put(tx, ship("a"))
            for key in ("b", "a", "b"):
                tx.wake("port", key)

        seen = db.write(work)
        seen.result(SECONDS_MAX)
        assert told == [[Change(kind="port", key="b"), Change(kind="port", key="a")]]
        run(db, lambda tx: SHIPS.put(tx, ship("b")))
        look(db, ALL.count)
        assert len(told) == 1

    def test_a_wake_without_a_row_is_told(self, db: Database):
        told: list[Change] = []
        db.watch(told.extend)
        run(db, lambda tx: tx.wake("port", "kiel"))
        assert told == [Change(kind="port", key="kiel")]

    def test_keys_are_made_once(self, db: Database):
        made = run(db, lambda tx: (tx.key("seal"), tx.key("other"), tx.key("seal")))
        assert made[0] == made[2] != made[1]
        assert all(len(key) == 32 for key in made)
        assert look(db, lambda tx: tx.key("seal")) == made[0]
        assert look(db, lambda tx: tx.key("page")) != look(db, lambda tx: tx.key("url"))

        def thrown_away(tx: Transaction) -> None:
            tx.key("brief")
            raise Validation

        with pytest.raises(Validation):
            run(db, thrown_away)
        with pytest.raises(AssertionError):
            look(db, lambda tx: tx.key("brief"))

    # Leases

    def test_a_lease_has_one_holder_and_a_rising_epoch(self, db: Database, clock: ManualClock):
        ttl = seconds(10)
        take = lambda who: run(db, lambda tx: lease.acquire(tx, "c1", who, ttl))
        holds = lambda epoch: run(db, lambda tx: lease.check(tx, "c1", epoch))
        assert not holds(1)
        assert take("a") == 1
        assert take("b") is None
        assert take("a") == 1
        assert holds(1)
        clock.advance(seconds(9))
        assert run(db, lambda tx: lease.renew(tx, "c1", 1, ttl))
        clock.advance(seconds(9))
        assert take("b") is None
        clock.advance(seconds(1))
        assert holds(1), "one that ran out stands until another takes it"
        assert take("b") == 2
        assert not holds(1)
        assert not look(db, lambda tx: lease.check(tx, "c1", 1))
        assert look(db, lambda tx: lease.check(tx, "c1", 2))
        assert not run(db, lambda tx: lease.renew(tx, "c1", 1, ttl))
        assert not run(db, lambda tx: lease.release(tx, "c1", 1))
        assert run(db, lambda tx: lease.release(tx, "c1", 2))
        assert not holds(2)
        assert take("a") == 3

    def test_a_lease_is_taken_once_by_many(self, db: Database):
        futures = [
            db.write(lambda tx, who=f"s{n}": lease.acquire(tx, "c1", who, seconds(10)))
            for n in range(12)
        ]
        assert sorted(f.result(SECONDS_MAX) or 0 for f in futures) == [0] * 11 + [1]

    # Opening and closing

    def test_closing_finishes_what_is_queued_and_takes_no_more(
        self, open_one: Callable[..., Database]
    ):
        db = open_one()
        futures = [db.write(lambda tx, name=str(n): SHIPS.put(tx, ship(name))) for n in range(40)]
        reads = [db.read(ALL.count) for _ in range(10)]
        db.close()
        assert all(future.done() and future.exception() is None for future in (*futures, *reads))
        for late in (db.write(ALL.count), db.read(ALL.count)):
            with pytest.raises(StoreFailed, match="stopping"):
                late.result(SECONDS_MAX)

    def test_works_in_a_row_equal_a_dictionary(self, db: Database):
        check_equals_a_dictionary(db)


class DurableDatabaseContract(DatabaseContract):
    """Tests that hold where a database can be opened again."""

    def test_time_does_not_go_back_over_a_restart(
        self, open_one: Callable[..., Database], clock: ManualClock
    ):
        with closing(open_one()) as db:
            before = run(db, lambda tx: (tx.now, SHIPS.put(tx, ship("a")))[0])
        clock.jump(hours(-1))
        with closing(open_one()) as db:
            assert look(db, lambda tx: tx.now) == before
            assert run(db, lambda tx: tx.now) == before

    def test_a_second_server_is_refused_by_name(self, open_one: Callable[..., Database]):
        refused = pytest.raises(Unavailable, match=r"in use by .*process \d+")
        with closing(open_one()), refused:
            open_one()
        open_one().close()

    def test_a_newer_schema_is_refused(self, open_one: Callable[..., Database]):
        with closing(open_one()) as db:
            run(db, later_schema)
        with pytest.raises(Unavailable, match="newer Moorage"):
            open_one()

    def test_declared_tables_columns_and_indices_are_added(self, open_one: Callable[..., Database]):
        small = Table("ships", Ship, keys=("port", "name"), columns=("sign",))
        other = Table("boats", Ship, keys=("name",))
        with closing(open_one(small)) as db:
            run(db, lambda tx: [small.put(tx, ship(n, crew=len(n), flag=n)) for n in ("a", "bb")])
        for _ in range(2):
            with closing(open_one(SHIPS, other)) as db:
                assert look(db, lambda tx: names(CREWED.all(tx, crew=[2]))) == ["bb"]
                assert look(db, lambda tx: names(OF_FLAG.all(tx, flag="a"))) == ["a"]
                assert not run(db, lambda tx: SHIPS.insert(tx, ship("c", sign="kiel/a")))
                run(db, lambda tx: other.put(tx, ship("dinghy")))

    def test_another_key_needs_a_migration(self, open_one: Callable[..., Database]):
        open_one(Table("ships", Ship, keys=("name",))).close()
        with pytest.raises(Unavailable, match="another key"):
            open_one()

    def test_what_was_acknowledged_is_there_again(self, open_one: Callable[..., Database]):
        with closing(open_one()) as db:
            run(db, lambda tx: SHIPS.put(tx, ship("a")))
            key = run(db, lambda tx: tx.key("seal"))
        with closing(open_one()) as db:
            assert look(db, ALL.all) == [ship("a")]
            assert look(db, lambda tx: tx.key("seal")) == key


def later_schema(tx: Transaction) -> None:
    """Pretend that a newer program was here."""
    assert tx.run(SET_MARK, mark="schema", new=999) == 1
