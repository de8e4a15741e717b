"""A task definition that was deleted: it goes once the last task and service that use it are gone."""

from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.store import definition_uses, task_families
from moorage.ecs.store import task_definitions as store
from moorage.ground.arn import parse_arn
from moorage.ground.instant import Instant, later, minutes
from moorage.ground.record import evolve
from moorage.kernel.call import Turn
from moorage.kernel.controller import controller

# Nobody tells when a use ends: it is looked for as often. Nothing waits for it.
LOOKED_EVERY = minutes(1)


@controller(kind="task-definition", keys=store.being_deleted)
def task_definitions(turn: Turn, key: str) -> Instant | None:
    """Forget one revision that is DELETE_IN_PROGRESS and unused; look again while it is used."""
    arn = parse_arn(key)
    assert arn is not None, f"{key} was woken as a task definition"
    definition = store.find(turn.tx, arn, key)
    if definition is None or definition.status != store.DELETE_IN_PROGRESS:
        return None
    if definition_uses.is_used(turn.tx, definition):
        return later(turn.now, LOOKED_EVERY)
    _forget(turn, definition)
    return None


def _forget(turn: Turn, definition: TaskDefinition) -> None:
    """Remove the row; its family keeps the number, and its name alone once no revision is left."""
    family = task_families.lock(turn.tx, definition, definition.family)
    store.delete(turn.tx, definition)
    task_families.put(
        turn.tx,
        evolve(
            family,
            deleted_to=max(family.deleted_to, definition.revision),
            is_gone=store.newest_revision(turn.tx, definition, definition.family) == 0,
        ),
    )
