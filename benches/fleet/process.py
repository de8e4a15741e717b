"""A fleet from outside: starts its process, tells it what to do, and reads how it stands."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FOLDER = Path(__file__).resolve().parents[1]
STOP_SECONDS_MAX = 20.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class FleetTrouble(AssertionError):  # noqa: N818 - a word of the benchmarks' own
    """The fleet could not do what it was told."""


class Fleet:
    """N simulated hosts for the server at `address` (HOST:PORT), in a process of their own."""

    def __init__(self, address: str, *flags: str) -> None:
        """Start the process; nobody joins yet."""
        host, _, port = address.rpartition(":")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fleet", host, port, *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(FOLDER), *sys.path[:2]))},
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def tell(self, do: str, **members: object) -> dict[str, Any]:
        """Give an order, wait for it, and answer the counters (see `__main__.py`)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **members}) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(
            self._process.stdout.readline() or '{"error": "it ended"}'
        )
        if "error" in told:
            raise FleetTrouble(told["error"])
        return told

    def join(self, token: str, count: int) -> dict[str, Any]:
        """So many more hosts join, register, and stay unconnected."""
        return self.tell("join", token=token, count=count)

    def connect(self, within_seconds: float = 0.0) -> dict[str, Any]:
        """All that joined since open their websockets."""
        return self.tell("connect", within_seconds=within_seconds)

    def counters(self) -> dict[str, Any]:
        """How it stands."""
        return self.tell("counters")

    def close(self) -> None:
        """End it."""
        if self._process.poll() is None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_SECONDS_MAX)

    def __enter__(self) -> Self:
        """Use it as a context."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self.close()


def cpu_seconds(pid: int) -> float:
    """What a process has used of the CPU so far: its own work and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
