"""Removing what is no longer wanted, when its time has come: tasks' remains, and images."""

from moorage.agent.engine.events import ImagesListed
from moorage.agent.engine.images import (
    IMAGES_PERIOD,
    disposable,
    in_use,
    next_disposal,
    removable,
    vanished,
)
from moorage.agent.engine.instructions import ListImages, RemoveImage
from moorage.agent.engine.post_mortems import held_back
from moorage.agent.engine.state import State
from moorage.agent.engine.turn import Turn
from moorage.ground.instant import Instant
from moorage.ground.record import evolve


def dispose(state: State, turn: Turn) -> None:
    """Choose the tasks whose remains go now; once chosen, they go.

    A ghost goes as soon as its end was told: the engine holds its ports and volumes for it. Where
    none that has stopped was changed, nothing is new before the next one is old enough.
    """
    if state.disposed == state.changes:
        due = next_clean_up(state, turn.now)
        if due is None or turn.now < due:
            return
    state.disposed = state.changes
    haunted = {
        task.arn
        for task in state.tasks.values()
        if task.settled and any(record.ghost for record in task.containers)
    }
    chosen = disposable(state.tasks.values(), turn.now) | haunted
    for arn in sorted(chosen - state.cleaning):
        if held_back(state.tasks[arn], turn.now):
            continue
        state.cleaning.add(arn)
        state.dirty[arn] = None


def next_clean_up(state: State, now: Instant) -> Instant | None:
    """When `dispose` will choose a task by its age, or one that was held back from it."""
    tasks = (state.changes, len(state.cleaning))
    due = state.clean_up
    if state.clean_up_of != tasks or (due is not None and due <= now):
        state.clean_up, state.clean_up_of = _next_clean_up(state, now), tasks
    return state.clean_up


def _next_clean_up(state: State, now: Instant) -> Instant | None:
    # Only what has stopped, and waits for its age, is looked at: most tasks run.
    stopped = [
        task
        for arn, task in state.tasks.items()
        if task.stopped_at is not None and arn not in state.cleaning
    ]
    dues = [task.post_mortem_deadline for task in stopped if held_back(task, now)]
    dues.append(next_disposal(task for task in stopped if not held_back(task, now)))
    return min((due for due in dues if due is not None), default=None)


def list_images(state: State, turn: Turn) -> None:
    """Begin a cycle, when it is time."""
    if state.images_due is None:
        state.images_due = turn.after(IMAGES_PERIOD)
    elif state.images_due <= turn.now and state.sighted():
        state.images_due = turn.after(IMAGES_PERIOD)
        turn.act(ListImages())


def images_listed(state: State, event: ImagesListed, turn: Turn) -> None:
    """Forget what is gone, note what is in use, remove what nobody has used for long."""
    tasks = list(state.tasks.values())
    for image in vanished(state.memory, event.images):
        state.pulls.forget(image)
    state.pulls.used(in_use(tasks), turn.now)
    state.memory = evolve(state.memory, images=state.pulls.records())
    if not state.sighted():
        return
    for record in removable(state.memory, tasks, event.images, turn.now):
        # If it cannot be removed it comes to the end of the row, and is tried in a later cycle.
        state.pulls.leaving(record.image, turn.now)
        turn.act(RemoveImage(reference=record.reference))
