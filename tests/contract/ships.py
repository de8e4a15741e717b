"""Records to keep, and short ways to keep them, for the tests of databases."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from contextlib import contextmanager
from typing import Any

from moorage.ground.instant import Instant
from moorage.ground.record import Record
from moorage.sql.document import Table
from moorage.sql.engine import Database
from moorage.sql.transaction import Transaction

SECONDS_MAX = 20


class Ship(Record):
    """A record with a column of each kind."""

    port: str
    name: str
    sign: str
    crew: int
    flag: str | None = None
    built: Instant = Instant(0)
    cargo: str = ""
    version: int = 1


SHIPS = Table(
    "ships",
    Ship,
    keys=("port", "name"),
    columns=("sign", "crew", "flag", "built"),
    unique=(("sign",),),
    indices=(("port", "flag"), ("crew",)),
    version="version",
)
OF_PORT = SHIPS.query("port", order=("crew",))
OLDEST_FIRST = SHIPS.query("port", order=("-built", "name"))
OF_FLAG = SHIPS.query("flag")
BY_FLAG = SHIPS.query(order=("flag",))
NAMED = SHIPS.query("port", among="name")
CREWED = SHIPS.query(among="crew")
CREWS = SHIPS.query("port", tally=("crew", "flag"))
AFTER = SHIPS.query("port", greater="name")
ALL = SHIPS.query()


def ship(name: str, port: str = "kiel", **members: Any) -> Ship:
    """A ship whose sign is its port and name."""
    return Ship(**{"port": port, "name": name, "sign": f"{port}/{name}", "crew": 1, **members})


def names(found: Sequence[Ship]) -> list[str]:
    """What a search found, by name, in its order."""
    return [one.name for one in found]


def run(db: Database, work: Callable[[Transaction], Any]) -> Any:
    """The answer of a write."""
    return db.write(work).result(SECONDS_MAX)


def look(db: Database, work: Callable[[Transaction], Any]) -> Any:
    """The answer of a read."""
    return db.read(work).result(SECONDS_MAX)


@contextmanager
def held_up(db: Database) -> Iterator[None]:
    """Keep every writing thread busy, so that what is queued meanwhile waits together."""
    begun, go = threading.Semaphore(0), threading.Event()

    def busy(_: Transaction) -> None:
        begun.release()
        assert go.wait(SECONDS_MAX)

    lanes = [db.write(busy) for _ in range(8)]
    assert begun.acquire(timeout=SECONDS_MAX)
    yield
    go.set()
    wait(lanes, SECONDS_MAX)
