"""Where a benchmark plays: an engine, a server and hosts of its own, ended when it is over."""

import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.clients.place import Place
from tests.clients.processes import Late, Server
from tests.clients.signed import Caller
from tests.engine import Engine

POLL_SECONDS = 0.01
WAIT_SECONDS_MAX = 120.0


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """A dockerd of its own."""
    own = Engine()
    try:
        own.start()
        own.busybox()
        yield own
    finally:
        own.purge()


@contextlib.contextmanager
def moorage(on: Engine, hosts: int, *flags: str) -> Iterator[Place]:
    """A server, and hosts that share one engine, each with the whole of it."""
    with tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder:
        place = Place(Server(Path(folder) / "data", *flags), on)
        try:
            place.server.start()
            if hosts:
                place.add_hosts(hosts)
            yield place
        finally:
            place.close()


def caller(place: Place) -> Caller:
    """A client that costs little: our own signatures over one connection."""
    return Caller(place.server.address, place.server.key())


def answer(told: tuple[int, Any]) -> Any:
    """The answer of a call that must succeed."""
    status, members = told
    assert status == 200, members
    return members


def seconds_until(
    look: Callable[[], object], began: float, every_seconds: float = POLL_SECONDS
) -> float:
    """How long after `began` the look is first true."""
    while not look():
        if time.perf_counter() - began > WAIT_SECONDS_MAX:
            raise Late(f"not within {WAIT_SECONDS_MAX:g} s")
        time.sleep(every_seconds)
    return time.perf_counter() - began


def median(values: Sequence[float]) -> float:
    """The median, to three digits after the point."""
    return round(statistics.median(values), 3)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a title."""
    cells = [[str(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)))


def record(name: str, figures: dict[str, object]) -> None:
    """Print the figures as one line of JSON."""
    print(json.dumps({"bench": name, **figures}), flush=True)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median with the least and the greatest: `2.10 [1.90..2.40]`."""
    least, most = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} [{least:.{digits}f}..{most:.{digits}f}]"
