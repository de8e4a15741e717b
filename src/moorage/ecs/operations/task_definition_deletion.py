"""DeleteTaskDefinitions: INACTIVE revisions are marked, `controllers.task_definitions` removes them."""

from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.definition.deletion import INVALID, MISSING, keeps, refuse_deletion
from moorage.ecs.store import task_definitions
from moorage.ecs.views import task_definition as views
from moorage.ecs.views.refusal import heed
from moorage.ground.arn import is_arn, parse_arn
from moorage.ground.names import FAMILY
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs import task_definition as shapes
from moorage.shapes.ecs.failure import Failure


@operation()
def delete_task_definitions(
    call: Call, request: shapes.DeleteTaskDefinitionsRequest
) -> shapes.DeleteTaskDefinitionsResponse:
    """Mark up to ten INACTIVE revisions DELETE_IN_PROGRESS; `failures` says why others are not.

    What uses one goes on with it; nothing new may. It is gone when the last of them is.
    """
    texts = request.task_definitions or []
    heed(refuse_deletion(len(texts)))
    deleted: dict[str, TaskDefinition] = {}
    failures: list[Failure] = []
    for text in texts:
        name, reason = _name(call, text)
        found = task_definitions.find(call.tx, call, name) if name else None
        reason = reason or keeps(found)
        if found is None or reason:
            failures.append(Failure(arn=text, reason=reason))
        else:
            deleted[found.arn] = _delete(call, found)
    return shapes.DeleteTaskDefinitionsResponse(
        task_definitions=[views.view(one) for one in deleted.values()], failures=failures
    )


def _delete(call: Call, definition: TaskDefinition) -> TaskDefinition:
    """The revision as it is marked; one that was marked before stays as it is."""
    if definition.status == task_definitions.DELETE_IN_PROGRESS:
        return definition
    marked = evolve(
        definition, status=task_definitions.DELETE_IN_PROGRESS, delete_requested_at=call.now
    )
    task_definitions.put(call.tx, marked)
    return marked


def _name(call: Call, text: str) -> tuple[str, str]:
    """`family:revision` as a text names it, or why it names none of this account and region."""
    name = text
    if is_arn(text):
        arn = parse_arn(text)
        if arn is None or arn.kind != "task-definition":
            return "", INVALID
        if (arn.account, arn.region) != (call.account, call.region):
            return "", MISSING
        name = arn.name
    family, colon, revision = name.partition(":")
    if not colon or not FAMILY.fullmatch(family) or not task_definitions.is_revision(revision):
        return "", INVALID
    return name, ""
