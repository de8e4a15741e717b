"""Moorage_V1 ExplainTask: why a task runs, does not run yet, or stopped; also one long forgotten."""

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.post_mortem import PostMortem
from moorage.ecs.records.task import Task
from moorage.ecs.rules.task.explain import Case, explain
from moorage.ecs.store import (
    clusters,
    container_instances,
    freezes,
    post_mortems,
    provisioning,
    service_deployments,
    service_events,
    services,
    tasks,
)
from moorage.ground.arn import is_arn
from moorage.ground.instant import in_seconds, maybe_epoch
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs.faults import InvalidParameterException
from moorage.shapes.moorage.post_mortem import Cause, ExplainTaskRequest, ExplainTaskResponse

SECONDS_PER_HOUR = 3600
ALIKE_SHOWN = 2


@operation(reads=True)
def explain_task(call: Call, request: ExplainTaskRequest) -> ExplainTaskResponse:
    """The chain of causes of a task named by its id, its ARN, or the beginning of its id.

    Raises InvalidParameterException where no task is meant, or more than one.
    """
    text = request.task or ""
    named = text.split(":task/")[-1].split("/") if is_arn(text) else []
    of_arn = named[0] if len(named) > 1 else None  # the cluster that an ARN names goes first
    cluster = clusters.active(call.tx, call, of_arn or request.cluster)
    task, post_mortem = _found(call, cluster, text)
    known = tasks.get(call.tx, task.arn) is not None
    explanation = explain(_case(call, task, post_mortem, forgotten=not known))
    host = container_instances.get(call.tx, task.instance)
    return ExplainTaskResponse(
        task_arn=task.arn,
        last_status=task.last_status,
        desired_status=task.desired_status,
        service=task.service.rpartition("/")[2] or None,
        host=host.name if host else None,
        headline=explanation.headline,
        causes=[Cause(at=maybe_epoch(one.at), text=one.text) for one in explanation.causes],
        container=explanation.container or None,
        containers=list(post_mortem.containers) or None if post_mortem else None,
        forgotten=True if not known else None,
    )


def _found(call: Call, cluster: Cluster, text: str) -> tuple[Task, PostMortem | None]:
    """The one task that is meant: one that is known, else one whose post-mortem remembers it."""
    arn = tasks.arn_of(call, text, cluster.name) if text else None
    if not arn:
        raise InvalidParameterException("Name a task: by its id, its ARN, or how its id begins.")
    exact = tasks.get(call.tx, arn)
    if exact is not None:
        return exact, post_mortems.of(call.tx, exact)
    last = post_mortems.named(call.tx, cluster.arn, arn)
    if last is not None and last.remembered is not None:
        return last.remembered, last
    alike = _alike(call, cluster, arn)
    if len(alike) > 1:
        shown = ", ".join(sorted(one.id for one in alike)[:ALIKE_SHOWN])
        raise InvalidParameterException(f"More than one task's id begins so: {shown}. Say more.")
    if not alike:
        raise InvalidParameterException(_unknown(call))
    return alike[0], post_mortems.named(call.tx, cluster.arn, alike[0].arn)


def _alike(call: Call, cluster: Cluster, beginning: str) -> list[Task]:
    """At most a few tasks whose ARNs begin so, those that are known before those that were."""
    filters: dict[str, str | bool] = {"cluster_arn": cluster.arn}
    found = {
        one.arn: one
        for one in tasks.page(call.tx, filters, beginning, ALIKE_SHOWN)
        if one.arn.startswith(beginning)
    }
    for one in post_mortems.after(call.tx, cluster.arn, beginning, ALIKE_SHOWN):
        if one.task.startswith(beginning) and one.remembered is not None:
            found.setdefault(one.task, one.remembered)
    return list(found.values())


def _unknown(call: Call) -> str:
    kept = round(in_seconds(call.site.stopped_task_retention) / SECONDS_PER_HOUR)
    told = round(in_seconds(call.site.post_mortem_retention) / SECONDS_PER_HOUR)
    return (
        "The referenced task was not found. Either it never was in this cluster, or it is "
        f"forgotten: a stopped task is known for {kept} hours, its post-mortem for {told} hours "
        "and among the last ten of its service."
    )


def _case(call: Call, task: Task, post_mortem: PostMortem | None, *, forgotten: bool) -> Case:
    tx = call.tx
    service = services.get(tx, task.service) if task.service else None
    deployments = service_deployments.open_of_service(tx, service.arn) if service else []
    newest = next((one for one in deployments if service and one.id == service.deployment), None)
    held = (
        freezes.holding(tx, task.account, task.region, task.cluster, service.name, tx.now)
        if service
        else []
    )
    return Case(
        task=task,
        now=tx.now,
        host=container_instances.get(tx, task.instance),
        service=service,
        deployment=newest,
        post_mortem=post_mortem,
        live=tuple(tasks.live_of_services(tx, [service.arn])) if service else (),
        events=tuple(service_events.newest(tx, service.arn)) if service else (),
        freezes=tuple(held),
        forgotten=forgotten,
        position=provisioning.positions(tx, task.cluster_arn).get(task.arn)
        if task.provisioning is not None
        else None,
    )
