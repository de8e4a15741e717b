"""The database of one thread: what it keeps through a kill, and how works take their turns."""

import pytest

from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock
from moorage.ground.record import Record
from moorage.sql.document import Table
from moorage.sql.inline import InlineDatabase
from moorage.sql.transaction import Change, StoreFailed


class Note(Record):
    name: str
    text: str = ""


NOTES = Table("notes", Note, keys=("name",))


def opened(image=b""):
    return InlineDatabase(clock=ManualClock(), chance=SeededChance(1), tables=[NOTES], image=image)


def names(database):
    return [one.name for one in database.read(NOTES.query().all).result()]


def test_without_a_pace_a_work_runs_at_once():
    database = opened()
    assert database.write(lambda tx: NOTES.insert(tx, Note(name="a"))).result(timeout=0)
    assert names(database) == ["a"]
    database.close()


def test_a_paced_work_waits_for_its_turn_and_takes_no_more_than_its_portion():
    database, rung, told = opened(), [], []
    database.watch(told.extend)
    database.paced(lambda: rung.append(1))

    def work(tx, name):
        NOTES.put(tx, Note(name=name))
        tx.wake("note", name)

    futures = [database.write(lambda tx, name=name: work(tx, name)) for name in "abc"]
    assert len(rung) == 3
    assert not any(one.done() for one in futures)
    assert database.turn(2)
    assert [one.done() for one in futures] == [True, True, False]
    assert told == [Change(kind="note", key="a"), Change(kind="note", key="b")]
    assert not database.turn(2)
    assert futures[2].done()
    database.close()


def test_an_image_holds_what_was_committed_and_nothing_else():
    database = opened()
    database.write(lambda tx: NOTES.put(tx, Note(name="kept"))).result()
    database.paced(lambda: None)
    waiting = database.write(lambda tx: NOTES.put(tx, Note(name="lost")))
    again = opened(database.image())
    assert names(again) == ["kept"]
    assert not waiting.done()
    database.close()
    with pytest.raises(StoreFailed):
        waiting.result(timeout=0)
    again.close()


def test_a_work_that_raises_leaves_nothing():
    database = opened()

    def work(tx):
        NOTES.put(tx, Note(name="a"))
        raise KeyError("b")

    with pytest.raises(KeyError):
        database.write(work).result(timeout=0)
    assert names(database) == []
    database.close()


class Dying:
    """A cursor at whose COMMIT the process dies, once it was told to."""

    def __init__(self, cursor) -> None:
        self.cursor = cursor
        self.dies = False

    def __getattr__(self, name) -> object:
        return getattr(self.cursor, name)

    def execute(self, text, *values):
        if self.dies and text == "COMMIT":
            self.dies = False
            raise KeyboardInterrupt
        return self.cursor.execute(text, *values)


def test_what_was_remembered_goes_with_what_an_image_rolls_back():
    cursors = []
    database = InlineDatabase(
        clock=ManualClock(),
        chance=SeededChance(1),
        tables=[NOTES],
        lens=lambda cursor: cursors.append(Dying(cursor)) or cursors[0],
    )

    def work(tx):
        NOTES.put(tx, Note(name="lost"))
        tx.remember("notes", ["lost"])

    cursors[0].dies = True
    with pytest.raises(KeyboardInterrupt):
        database.write(work)
    database.image()
    assert database.write(lambda tx: tx.recall("notes")).result() is None
    assert names(database) == []
    database.close()
