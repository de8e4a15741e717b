"""GetTaskProtection and UpdateTaskProtection: tasks that neither scale-in nor deployments stop."""

from collections.abc import Mapping, Sequence

from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.rules import happenings
from moorage.ecs.rules.task.protection import (
    NOT_VALID,
    SHOWN_MAX,
    UPDATED_MAX,
    over,
    protected_for,
    refuse_minutes,
    unfit,
)
from moorage.ecs.store import clusters, services, tasks, timeline
from moorage.ecs.views.refusal import heed
from moorage.ground.arn import is_arn, make_arn
from moorage.ground.instant import Instant, epoch, later
from moorage.ground.record import Record, evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs import task_protection as shapes
from moorage.shapes.ecs.failure import Failure
from moorage.shapes.ecs.faults import InvalidParameterException


class _Named(Record):
    """The tasks that a caller named and that can have protection, and a failure for each other."""

    tasks: tuple[Task, ...]
    failures: tuple[Failure, ...]


@operation(reads=True)
def get_task_protection(
    call: Call, request: shapes.GetTaskProtectionRequest
) -> shapes.GetTaskProtectionResponse:
    """Tell of up to a hundred tasks of services whether, and until when, they are protected."""
    found = _named(call, request.cluster, request.tasks or (), SHOWN_MAX)
    return shapes.GetTaskProtectionResponse(
        protected_tasks=[_shown(task, call.now) for task in found.tasks],
        failures=list(found.failures),
    )


@operation()
def update_task_protection(
    call: Call, request: shapes.UpdateTaskProtectionRequest
) -> shapes.UpdateTaskProtectionResponse:
    """Protect up to ten tasks of services, or end their protection; the time counts from now."""
    heed(refuse_minutes(request.expires_in_minutes))
    found = _named(call, request.cluster, request.tasks or (), UPDATED_MAX)
    until: Instant | None = None
    if request.protection_enabled:
        until = later(call.now, protected_for(request.expires_in_minutes))
    changed: list[Task] = []
    failures = list(found.failures)
    for task in found.tasks:
        reason = over(task)
        if reason:
            failures.append(Failure(arn=task.arn, reason=NOT_VALID, detail=reason))
        elif task.protected_until == until:
            changed.append(task)
        else:
            after = tasks.write(call.tx, evolve(task, protected_until=until))
            timeline.note(call.tx, happenings.of_protection(task, after, call.now))
            changed.append(after)
    return shapes.UpdateTaskProtectionResponse(
        protected_tasks=[_shown(task, call.now) for task in changed], failures=failures
    )


def _named(call: Call, cluster_name: str | None, texts: Sequence[str], most: int) -> _Named:
    """Look up tasks by id or ARN, each once, in the order in which they were named."""
    if not texts:
        raise InvalidParameterException("Tasks cannot be empty.")
    if len(texts) > most:
        raise InvalidParameterException(f"Tasks cannot have more than {most} elements.")
    cluster = clusters.active(call.tx, call, cluster_name)
    arns = {tasks.arn_of(call, text, cluster.name) or _whole(call, text): None for text in texts}
    known = tasks.named(call.tx, arns)
    kept: Mapping[str, Service] = services.named(
        call.tx, {task.service for task in known.values() if task.service}
    )
    found: list[Task] = []
    failures: list[Failure] = []
    for arn in arns:
        task = known.get(arn)
        if task is None or task.cluster != cluster.name:
            failures.append(Failure(arn=arn, reason="MISSING"))
            continue
        reason = unfit(task, kept.get(task.service))
        if reason:
            failures.append(Failure(arn=arn, reason=NOT_VALID, detail=reason))
        else:
            found.append(task)
    return _Named(tasks=tuple(found), failures=tuple(failures))


def _whole(call: Call, text: str) -> str:
    """The ARN of a task of another cluster, which a failure is to name."""
    if is_arn(text):
        return text
    cluster, _, identity = text.rpartition("/")
    return make_arn("task", call.region, call.account, cluster, identity)


def _shown(task: Task, now: Instant) -> shapes.ProtectedTask:
    until = task.protected_until
    if until is None or not task.is_protected(now):
        return shapes.ProtectedTask(task_arn=task.arn, protection_enabled=False)
    return shapes.ProtectedTask(
        task_arn=task.arn, protection_enabled=True, expiration_date=epoch(until)
    )
