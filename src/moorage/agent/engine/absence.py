"""The server goes and returns: what follows for healing, for fencing, and for what is told."""

from moorage.agent.engine import fencing, healing, post_mortems
from moorage.agent.engine.advance import with_container
from moorage.agent.engine.events import (
    HostDeregistered,
    ServerHeard,
    ServerSilent,
    ServerUnconfirmed,
)
from moorage.agent.engine.state import State
from moorage.agent.engine.turn import Turn
from moorage.ground.record import evolve


def server_silent(state: State, event: ServerSilent, turn: Turn) -> None:
    """It is away: ends are held back from now on, and what is to be fenced stops in its time."""
    state.unheard = event.unheard
    fencing.fence(state, event.unconfirmed, turn)
    for task in list(state.tasks.values()):
        if any(record.held for record in task.containers):
            records = (healing.repaced(task, r, event.unheard, turn.now) for r in task.containers)
            state.put(evolve(task, containers=tuple(records)))


def server_unconfirmed(state: State, event: ServerUnconfirmed, turn: Turn) -> None:
    """It is there for us, and may take us for lost: only what is to be fenced is concerned."""
    fencing.fence(state, event.unconfirmed, turn)


def server_heard(state: State, _event: ServerHeard, turn: Turn) -> None:
    """It is there: what waits to be healed has ended, and what was healed is told."""
    if state.unheard is None:
        return
    state.unheard = None
    if state.sighted():
        release(state)
    for task in state.tasks.values():
        post_mortems.tell_healings(task, turn)


def release(state: State) -> None:
    """Let every end that is held be an end; only once all containers were looked at."""
    for task in list(state.tasks.values()):
        after = task
        for record in task.containers:
            if record.held:
                over = healing.released(record)
                state.story.add(task.arn, record, over)
                after = with_container(after, over)
        if after is not task:
            state.to_report[task.arn] = None
            state.put(after)


def host_deregistered(state: State, _event: HostDeregistered, turn: Turn) -> None:
    """Nothing that runs here is wanted any more: all of it stops."""
    for task in list(state.tasks.values()):
        fencing.stop(state, task, fencing.DEREGISTERED, turn)
