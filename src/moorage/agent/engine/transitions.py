"""The table of moves of a container, and the one function that makes a move.

    WAITING -> PULLING -> PULLED -> CREATING -> CREATED -> STARTING -> RUNNING
                                                              -> STOPPING -> STOPPED
                                                              -> REMOVING -> REMOVED

Moves back exist for three reasons, and none shows in a report: an instruction whose completion
never came is void (VOIDED), a container is made anew (CREATING or STARTING to PULLED or WAITING),
and a restart policy starts an ended run again (RUNNING to CREATED, with the same container).
"""

from collections import deque
from collections.abc import Iterable

from moorage.agent.records.container import ContainerRecord, ContainerStatus
from moorage.ground.machine import Transitions
from moorage.ground.record import evolve

S = ContainerStatus

_ENDS = frozenset({S.STOPPED})
MOVES: dict[ContainerStatus, frozenset[ContainerStatus]] = {
    S.WAITING: frozenset({S.PULLING, S.PULLED, S.CREATED, S.RUNNING}) | _ENDS,
    S.PULLING: frozenset({S.WAITING, S.PULLED, S.CREATED, S.RUNNING}) | _ENDS,
    S.PULLED: frozenset({S.WAITING, S.CREATING, S.CREATED, S.RUNNING}) | _ENDS,
    S.CREATING: frozenset({S.WAITING, S.PULLED, S.CREATED, S.RUNNING}) | _ENDS,
    S.CREATED: frozenset({S.PULLED, S.STARTING, S.RUNNING}) | _ENDS,
    S.STARTING: frozenset({S.PULLED, S.CREATED, S.RUNNING}) | _ENDS,
    S.RUNNING: frozenset({S.CREATED, S.STOPPING}) | _ENDS,
    S.STOPPING: frozenset({S.RUNNING}) | _ENDS,
    S.STOPPED: frozenset({S.REMOVING, S.REMOVED}),
    S.REMOVING: frozenset({S.STOPPED, S.REMOVED}),
    S.REMOVED: frozenset(),
}
TABLE = Transitions(MOVES)

# What a container is again when the completion of its instruction will never come. STARTING is
# not here: whether it started must be seen by a look, or it might run twice.
VOIDED = {
    S.PULLING: S.WAITING,
    S.CREATING: S.PULLED,
    S.STOPPING: S.RUNNING,
    S.REMOVING: S.STOPPED,
}
IN_FLIGHT = frozenset({S.PULLING, S.CREATING, S.STARTING, S.STOPPING, S.REMOVING})
ENDED = frozenset({S.STOPPED, S.REMOVING, S.REMOVED})
LIVE = frozenset({S.STARTING, S.RUNNING, S.STOPPING})

STORY_LENGTH_MAX = 512


class Story:
    """The last moves of all containers, told when a move is illegal; and their count.

    `moves_max` lets tests end a machine that chases its tail.
    """

    def __init__(self, moves_max: int | None = None) -> None:
        """Begin with nothing told."""
        self.moves: deque[tuple[str, str, str, str]] = deque(maxlen=STORY_LENGTH_MAX)
        self.count = 0
        self.moves_max = moves_max

    def add(self, task_arn: str, before: ContainerRecord, after: ContainerRecord) -> None:
        """Check the move and remember it; asserts where the table forbids it."""
        if before.status == after.status:
            return
        self.count += 1
        self.moves.append((task_arn, before.name, before.status, after.status))
        assert TABLE.allows(before.status, after.status), (
            f"illegal move of {before.name}: {list(self.of(task_arn))}"
        )
        assert self.moves_max is None or self.count <= self.moves_max, (
            f"more than {self.moves_max} moves: {list(self.of(task_arn))}"
        )

    def of(self, task_arn: str) -> Iterable[tuple[str, str, str]]:
        """The moves of one task: (container, from, to), oldest first."""
        return ((name, a, b) for arn, name, a, b in self.moves if arn == task_arn)


def voided(record: ContainerRecord) -> ContainerRecord:
    """The record once it is known that the completion of its instruction will not come.

    A STARTING container stays so, without a deadline: the next look decides.
    """
    if record.status not in IN_FLIGHT:
        return record
    return evolve(record, status=VOIDED.get(record.status, record.status), deadline=None)
