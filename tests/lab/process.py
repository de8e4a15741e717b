"""Processes of a lab: known by pid and moment of birth, so that they can be met again and ended by id.

One that runs inside a host is begun by `nsenter`, which waits beside it; the process meant is the one
inside. `Process.mark` and `Process.meet` carry it over to another run of Python (`make lab` leaves
its hosts to whoever plays with them).
"""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from tests.clients.processes import ROOT, clean_environment, until

APPEAR_SECONDS_MAX = 10.0
END_SECONDS_MAX = 40.0
LOG_CHARACTERS_SHOWN = 3000
STATE, BORN = 0, 19  # fields of /proc/PID/stat after the name


def fields(pid: int) -> list[str]:
    """What /proc/PID/stat says after the name; nothing where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def born(pid: int) -> str:
    """When a process began, in ticks since boot; empty where it is gone or a zombie."""
    found = fields(pid)
    return found[BORN] if found and found[STATE] != "Z" else ""


def children(pid: int) -> list[int]:
    """The children of a process."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class Process:
    """One process: its log, its life. `enter` are the words that put it into a host."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.pid = 0
        self._born = ""
        self._around = 0

    def begin(self, command: list[str], enter: tuple[str, ...] = (), **environment: str) -> None:
        """Start it, with its output in its log."""
        assert not self.lives(), f"{self.name} runs already"
        with self.log.open("ab") as output:
            child = subprocess.Popen(
                [*enter, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
                env=clean_environment(**environment),
                start_new_session=True,
            )
        child.returncode = 0  # it is reaped by `lives`; nobody is to warn of one that runs on
        self._around, self.pid = child.pid, child.pid
        if enter:
            until(
                lambda: children(child.pid) or not born(child.pid),
                APPEAR_SECONDS_MAX,
                f"{self.name} has begun",
            )
            self.pid = (children(child.pid) or [child.pid])[0]
        self._born = born(self.pid)

    @property
    def mark(self) -> list[object]:
        """What `meet` needs to know it again."""
        return [self.pid, self._born, self._around]

    def meet(self, mark: list[object]) -> None:
        """Be the process that `mark` tells of."""
        self.pid, self._born, self._around = int(str(mark[0])), str(mark[1]), int(str(mark[2]))

    def lives(self) -> bool:
        """Whether it is there, running or paused."""
        self._reap()
        return bool(self.pid) and bool(self._born) and born(self.pid) == self._born

    def ended(self) -> bool:
        """Whether it was begun and is no more."""
        return bool(self.pid) and not self.lives()

    def send(self, number: int) -> None:
        """Send a signal to it; nothing happens where it is gone."""
        if self.lives():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def pause(self) -> None:
        """SIGSTOP: it is there and does nothing."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT; nsenter stops with its child and goes on with it."""
        self.send(signal.SIGCONT)
        if self._around != self.pid and born(self._around):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._around, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.resume()
        self._gone()

    def stop(self, seconds: float = END_SECONDS_MAX) -> None:
        """SIGTERM, and wait until it is gone; after so long it is killed."""
        self.resume()
        self.send(signal.SIGTERM)
        try:
            self._gone(seconds)
        except AssertionError:
            self.kill()
            raise

    def tail(self) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return self.log.read_text(errors="replace")[-LOG_CHARACTERS_SHOWN:]

    def _gone(self, seconds: float = END_SECONDS_MAX) -> None:
        until(lambda: not self.lives(), seconds, f"{self.name} ended", self.tail)
        until(lambda: self._reap() or not born(self._around), seconds, f"{self.name} is reaped")

    def _reap(self) -> None:
        if self._around:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._around, os.WNOHANG)
