from contextlib import closing
from pathlib import Path

import pytest

from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock
from moorage.sql import migrate, migrations
from moorage.sql.engine import Database, open_database
from tests.contract.ships import SHIPS, look, run, ship


def opened(path: Path) -> Database:
    url = f"sqlite:///{path}"
    return open_database(url, clock=ManualClock(), chance=SeededChance(1), tables=[SHIPS])


def test_every_step_is_listed_in_its_order():
    folder = Path(migrations.__file__).parent
    steps = sorted(path.stem for path in folder.glob("[0-9]*.py"))
    assert steps == list(migrate.STEPS)
    assert [int(step[:4]) for step in steps] == list(range(1, len(steps) + 1))


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path):
    path = tmp_path / "moorage.db"
    with closing(opened(path)) as db:
        run(db, lambda tx: SHIPS.put(tx, ship("a")))
    url = f"sqlite:///{path}"
    with pytest.raises(AssertionError, match="declared once"):
        open_database(url, clock=ManualClock(), chance=SeededChance(1), tables=[SHIPS, SHIPS])
    with closing(opened(path)) as db:
        assert look(db, lambda tx: SHIPS.get(tx, "kiel", "a")) == ship("a")


def test_opening_again_changes_nothing(tmp_path: Path):
    path = tmp_path / "moorage.db"
    described = lambda tx: tx._cursor.execute(
        "SELECT name, sql FROM sqlite_master ORDER BY name"
    ).fetchall()
    found = []
    for _ in range(2):
        with closing(opened(path)) as db:
            found.append(look(db, described))
    assert found[0] == found[1]
    assert len(found[0]) >= 8
