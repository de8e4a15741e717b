"""Fencing: this host stops a task itself once the server cannot know any more that it is there.

The server replaces a task that is to be fenced only after `fence_after` + its stopTimeouts +
`fence_margin`, counted from its last sign of this host. This host counts `fence_after` from the
*sending* of the last sign that the server is known to have had: that moment is never later than
its arrival, so however long frames were under way, this end is always the first. What is left to
the margin: a second between two looks at the clock, the difference of two clocks' rates, and the
time that the engine takes. What no margin can hold: an agent that does not run (stopped, paused,
or dead) stops nothing.
"""

from moorage.agent.engine.state import State
from moorage.agent.engine.turn import Turn
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Duration, in_seconds, seconds
from moorage.ground.record import evolve

FENCED = (
    "Fenced: this host had not reached the server for {seconds:.0f} seconds, and tasks of this "
    "service are stopped then"
)
DEREGISTERED = (
    "HostDeregistered: the server has given up this host, which stops what it still ran for it"
)


def fence_after(task: TaskRecord) -> Duration | None:
    """After how long without the server this task is stopped; None: never."""
    extras = task.task.moorage
    if extras is None or extras.fence_after_seconds is None:
        return None
    return seconds(extras.fence_after_seconds)


def fence(state: State, unconfirmed: Duration, turn: Turn) -> None:
    """Have every task stopped whose time without the server is over."""
    for task in list(state.tasks.values()):
        patience = fence_after(task)
        if patience is not None and unconfirmed >= patience:
            stop(state, task, FENCED.format(seconds=in_seconds(patience)), turn)


def stop(state: State, task: TaskRecord, reason: str, turn: Turn) -> None:
    """Have a task stopped by this host's own decision, unless it is to stop already."""
    if task.desired == "STOPPED":
        return
    state.to_report[task.arn] = None
    turn.durable = True
    state.put(evolve(task, desired="STOPPED", reason=task.reason or reason))
