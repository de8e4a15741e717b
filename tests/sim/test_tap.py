"""The glass before a simulated database: what it lets fail, and what it sees of what was committed."""

import sqlite3

import pytest

from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock
from moorage.ground.record import Record
from moorage.sim.tap import Tap, Trouble
from moorage.sql.document import Table
from moorage.sql.inline import InlineDatabase
from moorage.sql.transaction import StoreFailed


class Note(Record):
    name: str
    text: str = ""


NOTES = Table("notes", Note, keys=("name",))


class Rig:
    """A database behind a glass."""

    def __init__(self) -> None:
        self.trouble = Trouble(lambda: 7)
        self.books = {"notes": {}}
        self.commits = []
        self.database = InlineDatabase(
            clock=ManualClock(),
            chance=SeededChance(1),
            tables=[NOTES],
            lens=lambda cursor: Tap(
                cursor, {"notes": NOTES}, self.books, self.trouble, self.commits.append
            ).disguised(),
        )
        self.commits.clear()

    def put(self, *names):
        """One work that writes so many rows."""

        def work(tx):
            for name in names:
                NOTES.put(tx, Note(name=name))

        return self.database.write(work)

    def stored(self):
        return [one.name for one in self.database.read(NOTES.query().all).result()]

    def known(self):
        return sorted(name for (name,) in self.books["notes"])


@pytest.fixture(name="rig")
def _rig():
    rig = Rig()
    yield rig
    rig.database.close()


def failure(future):
    error = future.exception()
    assert isinstance(error, StoreFailed), error
    return error


@pytest.mark.parametrize("ends", [False, True], ids=["the statement alone", "the transaction"])
@pytest.mark.parametrize("passing", range(5))
def test_a_statement_may_fail_at_any_place_of_a_work_and_leaves_nothing_of_it(rig, passing, ends):
    rig.put("before")
    # Two rows, the mark of time, the commit: the fifth is of the work that comes after.
    rig.trouble.failing(sqlite3.SQLITE_FULL, 1, passing=passing, ends_transaction=ends)
    first, second = rig.put("a", "b"), rig.put("c")
    if passing < 4:
        failure(first)
    else:
        failure(second)
    expected = ["before", "c"] if passing < 4 else ["a", "b", "before"]
    assert sorted(rig.stored()) == rig.known() == expected
    assert rig.trouble.failed_at == 7


def test_a_commit_that_fails_too_late_has_happened_and_the_database_ends(rig):
    rig.trouble.failing(sqlite3.SQLITE_IOERR, 1, passing=2, too_late=True)
    failure(rig.put("a"))
    assert rig.known() == ["a"]
    assert rig.database.failure() is not None
    after = InlineDatabase(
        clock=ManualClock(), chance=SeededChance(1), tables=[NOTES], image=rig.database.image()
    )
    assert [one.name for one in after.read(NOTES.query().all).result()] == ["a"]
    after.close()


def test_what_comes_and_goes_in_one_batch_was_never_there(rig):
    def work(tx):
        NOTES.put(tx, Note(name="a"))
        NOTES.put(tx, Note(name="b"))
        NOTES.delete(tx, "a")

    rig.database.write(work).result()
    assert rig.known() == rig.stored() == ["b"]


def test_nothing_fails_that_is_not_to_fail(rig):
    rig.trouble.failing(sqlite3.SQLITE_FULL, 3, passing=1)
    rig.trouble.clear()
    rig.put("a").result()
    assert rig.trouble.failed_at is None
    assert rig.known() == ["a"]
