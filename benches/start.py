"""How long a server takes from its start until it decides, with many tasks in its database.

Ten thousand STOPPED tasks and a thousand RUNNING ones, of twenty services on fifty hosts, and ten
times as many, are written by the store's own functions. One service lacks a task: the event that
says why it cannot be placed is the first decision. No host is connected, though all of them were
when the server before stopped.
"""

import itertools
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from filling import definition, hosts, run, service
from moorage.ecs.store import service_events, services
from moorage.gateway.compose import TABLES
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.ground.record import evolve
from moorage.sql.sqlite import SQLiteDatabase
from moorage.sql.transaction import Transaction
from stage import record, seconds_until, spread, table
from tests.clients.place import Place
from tests.clients.processes import Server

WANTING = "wanting"
UNABLE = "was unable to place a task"


@dataclass(frozen=True)
class Size:
    """How much is in the database, and within how many seconds it should be decided about."""

    hosts: int
    services: int
    running_each: int
    stopped_each: int
    seconds_max: float


SIZES = (
    Size(hosts=50, services=20, running_each=50, stopped_each=500, seconds_max=3.0),
    Size(hosts=1000, services=100, running_each=200, stopped_each=800, seconds_max=10.0),
)


def measure(rounds: int) -> None:
    """Run the benchmark and print its figures."""
    for size in SIZES:
        _measure(size, rounds)


def _measure(size: Size, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder:
        server = Server(Path(folder) / "data")
        server.start()  # makes the data folder and its keys
        account = server.key()["account_id"]
        server.stop()
        _fill(server.data / "moorage.db", account, size)
        size_mib = (server.data / "moorage.db").stat().st_size / 2**20
        answers, decisions = [], []
        for _ in range(rounds):
            healthy, decided = _once(server)
            answers.append(healthy)
            decisions.append(decided)
    running = size.services * size.running_each
    count = running + size.services * size.stopped_each
    table(
        f"Start with {count} tasks ({running} RUNNING), {size_mib:.0f} MiB",
        ("until", "seconds", "target"),
        [
            ("it answers", spread(answers), ""),
            ("it decides", spread(decisions), f"<= {size.seconds_max:g}"),
        ],
    )
    record("start", {"tasks": count, "answers_s": answers, "decides_s": decisions})


def _once(server: Server) -> tuple[float, float]:
    """Seconds until it answers, and until the event of the service that lacks a task is there."""
    place = Place(server, None)  # type: ignore[arg-type]  # no engine is asked
    began = time.perf_counter()
    server.start()
    healthy = time.perf_counter() - began
    try:

        def decided() -> bool:
            said = place.messages(WANTING)
            wrong = [one for one in said if UNABLE not in one]
            assert not wrong, f"a host was found where there is none: {wrong}"
            return bool(said)

        spent = seconds_until(decided, began)
    finally:
        server.stop()
        _forget_events(server.data / "moorage.db")
    return round(healthy, 3), round(spent, 3)


def _opened(path: Path) -> SQLiteDatabase:
    return SQLiteDatabase(path, clock=SystemClock(), chance=SystemChance(), tables=TABLES)


def _forget_events(path: Path) -> None:
    database = _opened(path)

    def work(tx: Transaction) -> None:
        for arn in services.every(tx):
            found = services.get(tx, arn)
            if found is not None and found.name == WANTING:
                service_events.delete_of_service(tx, arn)
                services.note(tx, evolve(found, events_written=0))

    database.write(work).result()
    database.close()


def _fill(path: Path, account: str, size: Size) -> None:
    database = _opened(path)
    made = database.write(lambda tx: definition(tx, account)).result()
    arns = database.write(lambda tx: hosts(tx, account, size.hosts)).result()
    turn = itertools.cycle(arns)
    for number in range(size.services):

        def work(tx: Transaction, name: str = f"s{number}") -> None:
            running = tuple(itertools.islice(turn, size.running_each))
            wanted = service(tx, made, name, size.running_each, running)
            run(tx, made, wanted, tuple(itertools.islice(turn, size.stopped_each)), stopped=True)

        database.write(work).result()
    database.write(lambda tx: service(tx, made, WANTING, 1)).result()
    database.close()
