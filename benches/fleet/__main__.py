"""The fleet's process: `python -m fleet HOST PORT`, orders on stdin, answers on stdout, JSON lines.

    {"do": "join", "token": T, "count": N, "prefix": "host"}    joins and registers N more
    {"do": "connect", "within_seconds": 5}                      all that are not yet, spread evenly
    {"do": "cut", "count": N}                                   N lose their connections
    {"do": "counters"}                                          how it stands
    {"do": "stop"}                                              the end

Each is answered by the counters, or by {"error": ...}.
"""

import argparse
import asyncio
import gc
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop

from fleet.ground import Ground
from fleet.host import Host, Refused

LINE_BYTES_MAX = 1 << 20
JOINS_AT_ONCE = 32
TRIES_MAX = 3
RETRY_SECONDS = 0.2
SWEEP_SECONDS = 5.0
Order = dict[str, Any]


class FleetProcess:
    """All hosts, and what they are told to do."""

    def __init__(self, ground: Ground) -> None:
        """Begin with no host."""
        self.ground = ground
        self.hosts: list[Host] = []
        self._connected = 0
        self.orders: dict[str, Callable[[Order], Awaitable[None]]] = {
            "join": self.join,
            "connect": self.connect,
            "cut": self.cut,
            "counters": self.look,
        }

    async def join(self, order: Order) -> None:
        """Join and register more hosts; each is tried a few times."""
        prefix, first = order.get("prefix", "host"), len(self.hosts)
        fresh = [
            Host(self.ground, f"{prefix}-{number}", number)
            for number in range(first, first + int(order["count"]))
        ]
        waiting = list(reversed(fresh))

        async def work() -> None:
            while waiting:
                host = waiting.pop()
                await _join(host, order["token"])
                self.hosts.append(host)

        await asyncio.gather(*(work() for _ in range(JOINS_AT_ONCE)))

    async def connect(self, order: Order) -> None:
        """Let all that are not connected yet dial, spread over some seconds."""
        fresh, self._connected = self.hosts[self._connected :], len(self.hosts)
        pause_seconds = float(order.get("within_seconds", 0)) / max(len(fresh), 1)
        for host in fresh:
            host.connect()
            if pause_seconds:
                await asyncio.sleep(pause_seconds)

    async def cut(self, order: Order) -> None:
        """Cut the connections of some hosts."""
        for host in self.hosts[: int(order["count"])]:
            host.cut()

    async def look(self, order: Order) -> None:
        """Nothing but to tell how it stands."""
        del order

    async def sweep(self) -> None:
        """Close connections that rest."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for host in self.hosts:
                host.identity.lines.rest(loop.time())

    def told(self) -> dict[str, object]:
        """How it stands."""
        statuses = Counter(run.status for host in self.hosts for run in host.runs.known.values())
        usage = resource.getrusage(resource.RUSAGE_SELF)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return {
            **asdict(self.ground.counters),
            "hosts": len(self.hosts),
            "acs": sum(host.has_commands for host in self.hosts),
            "tcs": sum(host.has_telemetry for host in self.hosts),
            "running": statuses["RUNNING"],
            "stopped": statuses["STOPPED"],
            "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
            "rss_mib": round(pages * resource.getpagesize() / 2**20, 1),
            "at": round(time.monotonic(), 4),
        }


async def _join(host: Host, token: str) -> None:
    for attempt in range(TRIES_MAX):
        try:
            await host.join(token)
        except (OSError, TimeoutError):
            if attempt == TRIES_MAX - 1:
                raise
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


async def _run(fleet: FleetProcess) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(LINE_BYTES_MAX)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sweeping = asyncio.create_task(fleet.sweep())
    async for line in reader:
        order = json.loads(line)
        if order["do"] == "stop":
            break
        try:
            await fleet.orders[order["do"]](order)
            told = fleet.told()
        except (KeyError, OSError, TimeoutError, Refused) as error:
            told = {"error": f"{order['do']}: {type(error).__name__} {error}"}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
    sweeping.cancel()
    for host in fleet.hosts:
        host.end()


def main() -> None:
    """Be a fleet until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--start-seconds", type=float, default=0.0)
    given = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    gc.freeze()
    ground = Ground(given.host, given.port, start_seconds=given.start_seconds)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(FleetProcess(ground)))


if __name__ == "__main__":
    main()
