"""Ghosts: containers that the engine says run, and whose process is gone.

An engine learns of an end from its own helpers; where those died, it goes on saying "running" until
it is started again (moby#30095, amazon-ecs-agent#1460). The process table knows better, but only
where the engine's processes are this machine's and can be seen from here: a remote engine, or one
in another PID namespace, must not make a ghost of everything. So nothing is judged before one of
the engine's own containers was found under the number that the engine gives.
"""

from collections.abc import Mapping
from enum import StrEnum

from moorage.ground.instant import Instant

# One look may fall between the end of a process and the engine's own news of it.
LOOKS_TO_BELIEVE = 2

# A run of a container: its id, and when the engine says that this run began.
Run = tuple[str, Instant | None]


class Sight(StrEnum):
    """What the process table shows under the number that the engine gives."""

    THERE = "THERE"
    GONE = "GONE"
    UNCLEAR = "UNCLEAR"


class Ghosts:
    """What was seen in the looks so far."""

    def __init__(self) -> None:
        """Begin without an eye for this engine's processes."""
        self.sees = False
        self._gone: dict[Run, int] = {}
        self._told: set[Run] = set()

    def look(self, sights: Mapping[Run, Sight]) -> tuple[Run, ...]:
        """Take in what all running containers look like; the answer are the ghosts, each once."""
        self.sees = self.sees or Sight.THERE in sights.values()
        if not self.sees:
            return ()
        gone = [run for run, sight in sights.items() if sight is Sight.GONE]
        self._gone = {run: self._gone.get(run, 0) + 1 for run in gone}
        self._told &= set(gone)
        new = tuple(
            run
            for run, looks in self._gone.items()
            if looks >= LOOKS_TO_BELIEVE and run not in self._told
        )
        self._told.update(new)
        return new
