"""Idle hosts, thousands of them: what they cost the server, and how long it is until all are back.

A fleet of simulated hosts (`fleet/`) joins a server on SQLite on disk and keeps its websockets open,
with the heartbeats and the telemetry of our agent. Then the server is restarted, by SIGTERM and by
SIGKILL, while somebody goes on calling the API: from the start of the new process until each host
has both its websockets, and its manifest.
"""

import contextlib
import http.client
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from fleet.process import Fleet, cpu_seconds
from stage import record, table
from tests.clients.processes import Server, until
from tests.clients.signed import Caller

SIZES = (1000, 3000, 5000)
# So many of them dial within a second at first; after a restart all do as they like.
DIALS_PER_SECOND = 500
SETTLE_SECONDS = 20.0
WATCH_SECONDS = 30.0
BACK_SECONDS_MAX = 180.0
CALLS_PER_SECOND = 20
MIB_MAX, SHARE_MAX, BACK_MAX, P99_MAX = 350, 10, 60, 250
CALLS = itertools.cycle(
    (
        ("DescribeClusters", {"clusters": ["default"]}),
        ("ListServices", {}),
        ("DescribeTasks", {"tasks": ["0123456789abcdef0123456789abcdef"]}),
    )
)


class Prober:
    """Calls the API some times a second, on one connection, and notes how long each answer took."""

    def __init__(self, server: Server) -> None:
        """Call a server that may be away."""
        self._server = server
        self._ended = threading.Event()
        self._milliseconds: list[float] = []
        self.refused = 0
        self._thread = threading.Thread(target=self._call_on, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def slowest(self, share: float) -> float:
        """The milliseconds within which this share of all answers came."""
        times = sorted(self._milliseconds) or [0.0]
        return round(times[min(int(len(times) * share), len(times) - 1)], 1)

    @property
    def count(self) -> int:
        """How many were answered."""
        return len(self._milliseconds)

    def _call_on(self) -> None:
        caller = Caller(self._server.address, self._server.key())
        while not self._ended.wait(1 / CALLS_PER_SECOND):
            began = time.perf_counter()
            operation, members = next(CALLS)
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, _ = caller.call("ecs", operation, members)
                self._milliseconds.append((time.perf_counter() - began) * 1000)
                self.refused += status != http.HTTPStatus.OK
        caller.close()


def measure(_rounds: int) -> None:
    """Run the benchmark and print its figures."""
    rested, returned = [], []
    with place() as (server, fleet):
        for size in SIZES:
            rested.append(_rest(server, fleet, size))
            returned += [
                _restart(server, fleet, size, name, end)
                for name, end in (("SIGTERM", server.stop), ("SIGKILL", server.kill))
            ]
    table(
        "Idle hosts, each with two websockets",
        ("hosts", "RSS MiB", "KiB a host", "of a core", "the fleet's", "target"),
        [
            (
                *(one["hosts"], one["rss_mib"], one["kib_a_host"], f"{one['percent']} %"),
                *(f"{one['fleet_percent']} %", f"<= {MIB_MAX} MiB, {SHARE_MAX} %"),
            )
            for one in rested
        ],
    )
    table(
        "All back after a restart of the server",
        ("hosts", "ended by", "seconds", "CPU s", "API p50 ms", "p99", "most", "calls", "refused"),
        [
            (
                *(one["hosts"], one["signal"], one["seconds"], one["cpu_seconds"], one["p50_ms"]),
                *(one["p99_ms"], one["most_ms"], one["calls"], one["refused"]),
            )
            for one in returned
        ],
    )
    print(f"  target: <= {BACK_MAX} s, p99 <= {P99_MAX} ms")
    record("idle", {"rested": rested, "returned": returned})


@contextlib.contextmanager
def place() -> Iterator[tuple[Server, Fleet]]:
    """A server on a folder of its own, and a fleet that has not joined."""
    with tempfile.TemporaryDirectory(prefix="moorage-bench-") as folder:
        server = Server(Path(folder) / "data")
        server.start()
        caller = Caller(server.address, server.key())
        caller.call("ecs", "CreateCluster", {"clusterName": "default"})
        caller.close()
        try:
            with Fleet(server.address) as fleet:
                yield server, fleet
        finally:
            server.stop()


def _rest(server: Server, fleet: Fleet, size: int) -> dict[str, object]:
    """Let so many hosts be connected, and look what they cost at rest."""
    fresh = size - int(fleet.counters()["hosts"])
    empty_mib = _mebibytes(server.pid)
    token = server.token(uses=fresh)
    fleet.join(token, fresh)
    fleet.connect(within_seconds=fresh / DIALS_PER_SECOND)
    _wait_for(fleet, size)
    time.sleep(SETTLE_SECONDS)
    before = (cpu_seconds(server.pid), cpu_seconds(fleet.pid))
    began = time.perf_counter()
    time.sleep(WATCH_SECONDS)
    took = time.perf_counter() - began
    after = (cpu_seconds(server.pid), cpu_seconds(fleet.pid))
    own, other = (round((b - a) / took * 100, 1) for a, b in zip(before, after, strict=True))
    rss_mib = _mebibytes(server.pid)
    counters = fleet.counters()
    assert counters["acs"] == counters["tcs"] == size, counters
    return {
        "hosts": size,
        "rss_mib": round(rss_mib, 1),
        "kib_a_host": round((rss_mib - empty_mib) * 1024 / max(fresh, 1), 1),
        "percent": own,
        "fleet_percent": other,
    }


def _restart(
    server: Server, fleet: Fleet, size: int, name: str, end: Callable[[], object]
) -> dict[str, object]:
    """End the server, start it, and wait until all hosts are back."""
    end()
    began = time.perf_counter()
    server.start()
    with Prober(server) as prober:
        _wait_for(fleet, size)
        seconds = time.perf_counter() - began
        used = cpu_seconds(server.pid)
    return {
        "hosts": size,
        "signal": name,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used, 1),
        "p50_ms": prober.slowest(0.5),
        "p99_ms": prober.slowest(0.99),
        "most_ms": prober.slowest(1.0),
        "calls": prober.count,
        "refused": prober.refused,
    }


def _wait_for(fleet: Fleet, size: int) -> None:
    def all_here() -> bool:
        counters = fleet.counters()
        return bool(counters["acs"] == counters["tcs"] == size)

    until(all_here, BACK_SECONDS_MAX, f"{size} hosts are connected", fleet.counters)


def _mebibytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    found = {line.split()[0].rstrip(":"): int(line.split()[1]) / 1024 for line in lines}
    return found["Rss"]


if __name__ == "__main__":
    measure(1)
