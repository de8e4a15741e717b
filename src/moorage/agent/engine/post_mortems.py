"""Post-mortems: what is told of a task's end, and that its containers stay until that is kept.

Asked for once all containers of a task have ended, never before its report and never instead of
it. Reading and telling is the shell's; here is only when, and what of the records goes along.
"""

from moorage.agent.engine.dependency import definition
from moorage.agent.engine.events import PostMortemGathered
from moorage.agent.engine.instructions import GatherPostMortem
from moorage.agent.engine.reporting import ended
from moorage.agent.engine.state import State
from moorage.agent.engine.turn import Turn
from moorage.agent.records.container import ContainerRecord
from moorage.agent.records.post_mortem import ContainerEnd, PostMortem
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Instant, minutes
from moorage.ground.record import evolve

# So long, at most, containers are kept back from removal for their last lines.
GATHER_DEADLINE = minutes(2)


def gather(state: State, turn: Turn) -> None:
    """Ask for the post-mortems of the tasks that have ended since; only what can be read now."""
    if not state.sighted():
        return
    for arn in list(state.to_gather):
        task = state.tasks.get(arn)
        if task is None or task.post_mortem:
            del state.to_gather[arn]
        elif ended(task):
            del state.to_gather[arn]
            state.put(_asked(task, turn))


def _asked(task: TaskRecord, turn: Turn) -> TaskRecord:
    if not any(record.runtime_id or record.started_at for record in task.containers):
        return evolve(task, post_mortem="done")  # nothing ever was: its report says it all
    turn.say(GatherPostMortem(post_mortem=of(task, turn.now)))
    deadline = turn.after(GATHER_DEADLINE)
    return evolve(task, post_mortem="asked", post_mortem_deadline=deadline)


def gathered(state: State, event: PostMortemGathered, _turn: Turn) -> None:
    """It is kept: the task's containers may go, and its healings are told."""
    task = state.tasks.get(event.task_arn)
    if task is None:
        return
    task = evolve(task, healings_told=max(task.healings_told, event.healings))
    if event.ended:
        task = evolve(task, post_mortem="done", post_mortem_deadline=None)
    state.put(task)


def tell_healings(task: TaskRecord, turn: Turn) -> None:
    """Have the server told of the healings of a task that runs on, if it knows less."""
    if task.desired == "RUNNING" and _healings(task) > task.healings_told:
        turn.say(GatherPostMortem(post_mortem=of(task, turn.now)))


def held_back(task: TaskRecord, now: Instant) -> bool:
    """Whether the task's containers are still needed."""
    deadline = task.post_mortem_deadline
    return task.post_mortem == "asked" and deadline is not None and now < deadline


def of(task: TaskRecord, now: Instant) -> PostMortem:
    """What the records say of a task's containers."""
    return PostMortem(
        task=task.arn,
        ended=ended(task),
        at=now,
        reason=task.reason,
        containers=tuple(_end(task, record) for record in task.containers),
    )


def _end(task: TaskRecord, record: ContainerRecord) -> ContainerEnd:
    return ContainerEnd(
        name=record.name,
        runtime_id=record.runtime_id,
        image=definition(task.task, record.name).image,
        image_digest=record.image_digest,
        started_at=record.started_at,
        finished_at=record.finished_at,
        exit_code=record.exit_code,
        out_of_memory=record.out_of_memory,
        reason=record.reason,
        restarts=record.restarts - record.healings,
        healings=record.healings,
        last_end=record.last_end,
    )


def _healings(task: TaskRecord) -> int:
    return sum(record.healings for record in task.containers)
