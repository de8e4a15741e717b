"""Processes that the command line started: are they alive, and how they are ended."""

import ctypes
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from moorage.ground.clock import SystemClock
from moorage.ground.instant import seconds

POLL_SECONDS = 0.05
_SET_PARENT_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG
_PRCTL = ctypes.CDLL(None, use_errno=True).prctl


def alive(pid_file: Path) -> int | None:
    """The process that a pid file names if it lives and is one of ours, else None."""
    try:
        pid = int(pid_file.read_text("ascii"))
        command = (Path("/proc") / str(pid) / "cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"moorage" in command else None


def end(pid: int, seconds_max: float) -> bool:
    """Ask a process to end, and wait for it; False where it is still there afterwards.

    Raises PermissionError where the process is another user's.
    """
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    return wait_until(lambda: _ended(pid), seconds_max)


def _ended(pid: int) -> bool:
    """Whether nothing of a process is left but what its parent has not asked for."""
    # In many containers process 1 waits for nobody, and what has ended stays in /proc for good.
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text("ascii", "replace")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in {"Z", "X"}


def wait_until(holds: Callable[[], bool], seconds_max: float) -> bool:
    """Look again and again until `holds`, for so long at most; answers whether it did."""
    clock, pause = SystemClock(), threading.Event()
    deadline = clock.monotonic() + seconds(seconds_max)
    while not holds():
        if clock.monotonic() > deadline:
            return False
        pause.wait(POLL_SECONDS)
    return True


def end_with_parent() -> None:
    """Have this process be ended when its parent dies, however that dies: run in a new child."""
    _PRCTL(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
