"""The process table of this machine: is the process there that the engine names, and is it that one.

A number says little: it may be in use again. A process is a container's if its cgroup names the
container; once it was, a process of another beginning under the same number is another one.
"""

from pathlib import Path
from typing import Protocol

from moorage.agent.engine.ghosts import Sight
from moorage.ground.instant import Instant, from_epoch

PROC = Path("/proc")
_DEAD = frozenset("ZXx")  # ended, and not yet fetched by its parent: proc(5), state
_STATE_FIELD, _BEGAN_FIELD = 0, 19  # of /proc/PID/stat, after the name in parentheses


def booted_at(root: Path = PROC) -> Instant | None:
    """When the kernel says that it began: proc(5), `btime` of /proc/stat; None where it does not."""
    try:
        lines = (root / "stat").read_text().splitlines()
    except OSError:
        return None
    told = (line.split()[1] for line in lines if line.startswith("btime "))
    return next((from_epoch(int(each)) for each in told if each.isdecimal()), None)


class Witness(Protocol):
    """Sees processes."""

    def see(self, pid: int, container: str) -> Sight:
        """What there is of the container `container` under `pid`."""
        ...

    def forget(self, kept: frozenset[str]) -> None:
        """Remember no containers but these."""
        ...


class Processes:
    """The processes under /proc."""

    def __init__(self, root: Path = PROC) -> None:
        """Read below `root`."""
        self._root = root
        self._known: dict[str, tuple[int, str]] = {}

    def see(self, pid: int, container: str) -> Sight:
        """What there is of the container `container` (its id) under `pid`."""
        if pid <= 0:
            return Sight.UNCLEAR
        try:
            stat = (self._root / str(pid) / "stat").read_text().rpartition(")")[2].split()
            cgroup = (self._root / str(pid) / "cgroup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return Sight.GONE
        except OSError:
            return Sight.UNCLEAR
        if len(stat) <= _BEGAN_FIELD:
            return Sight.UNCLEAR
        began = stat[_BEGAN_FIELD]
        known = self._known.get(container)
        if known is not None and known[0] == pid and known[1] != began:
            return Sight.GONE
        if stat[_STATE_FIELD] in _DEAD:
            return Sight.GONE
        if container in cgroup:
            self._known[container] = (pid, began)
            return Sight.THERE
        return Sight.UNCLEAR

    def forget(self, kept: frozenset[str]) -> None:
        """Remember no containers but these."""
        self._known = {name: seen for name, seen in self._known.items() if name in kept}
