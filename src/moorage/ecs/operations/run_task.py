"""RunTask and StartTask: tasks that no service keeps, placed in the very transaction of the call."""

from collections.abc import Sequence

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.records.task import Task
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.capacity.sharing import Shared, share
from moorage.ecs.rules.definition.launch import refuse_network, refuse_run, refuse_start
from moorage.ecs.rules.definition.overrides import refuse_overrides
from moorage.ecs.rules.freeze import holds, refusal
from moorage.ecs.rules.placement.explain import failures
from moorage.ecs.rules.placement.place import Batch, Placements, place, place_on
from moorage.ecs.rules.placement.strategy import draws, refuse_together
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ecs.rules.placement.wants import wants_of
from moorage.ecs.rules.tags import refuse_inheritance, refuse_tags, task_tags
from moorage.ecs.store import (
    capacity,
    clusters,
    container_instances,
    drafts,
    freezes,
    images,
    provisioning,
    task_definitions,
)
from moorage.ecs.store.view import cluster_view, promise
from moorage.ecs.views import task as views
from moorage.ecs.views.refusal import heed
from moorage.ground.arn import is_arn
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import Idempotency, operation
from moorage.shapes.ecs import task as shapes
from moorage.shapes.ecs.failure import Failure
from moorage.shapes.ecs.faults import (
    ClientException,
    ConflictException,
    InvalidParameterException,
    UnsupportedFeatureException,
)

NUMBER_LIMIT = 2**32
_Request = shapes.RunTaskRequest | shapes.StartTaskRequest


@operation(idempotency=Idempotency(member="client_token", conflict=ConflictException))
def run_task(call: Call, request: shapes.RunTaskRequest) -> shapes.RunTaskResponse:
    """Start up to ten tasks where there is room; `failures` says why each host had none.

    Some may start and others not. What a capacity provider's pool has no room for yet, and may
    grow for, waits PROVISIONING.
    """
    heed(refuse_run(request))
    cluster, definition = _asked(call, request)
    own = definition.definition.placement_constraints
    heed(refuse_together(own, request.placement_constraints))
    strategy, refused = capacity.strategy_of(
        cluster, request.capacity_provider_strategy, request.launch_type
    )
    heed(refused)
    view = cluster_view(call.tx, cluster.arn)
    batch = _batch(call, definition, request)
    draft = _draft(call, cluster, definition, request, request.launch_type or "EC2")
    if strategy:
        shared = share(batch, strategy, {}, view)
        return _shared(call, request, draft, shared, view)
    if not view.hosts:
        raise InvalidParameterException("No Container Instances were found in your cluster.")
    placed = place(batch, view)
    started = _start(call, draft, placed, view)
    return shapes.RunTaskResponse(
        tasks=[views.view(task, tags=True) for task in started], failures=_failures(placed)
    )


@operation()
def start_task(call: Call, request: shapes.StartTaskRequest) -> shapes.StartTaskResponse:
    """Start one task on each host that is named, at most ten; no strategy chooses."""
    heed(refuse_start(request))
    cluster, definition = _asked(call, request)
    view = cluster_view(call.tx, cluster.arn)
    texts = request.container_instances or []
    arns = [container_instances.arn_of(call, text, cluster.name) for text in texts]
    missing = [
        Failure(arn=text if is_arn(text) or arn is None else arn, reason="MISSING")
        for arn, text in zip(arns, texts, strict=True)
        if arn not in view.hosts
    ]
    wants = wants_of(definition.definition, _group(definition, request), (), request.overrides)
    placed = place_on(wants, tuple(arn for arn in arns if arn in view.hosts and arn), view)
    started = _start(call, _draft(call, cluster, definition, request, "EC2"), placed, view)
    return shapes.StartTaskResponse(
        tasks=[views.view(task, tags=True) for task in started],
        failures=[*_failures(placed), *missing],
    )


def _batch(call: Call, definition: TaskDefinition, request: shapes.RunTaskRequest) -> Batch:
    count = 1 if request.count is None else request.count
    strategies = tuple(request.placement_strategy or ())
    numbers = tuple(call.chance.below(NUMBER_LIMIT) for _ in range(count))
    return Batch(
        wants=wants_of(
            definition.definition,
            _group(definition, request),
            request.placement_constraints or (),
            request.overrides,
        ),
        count=count,
        strategies=strategies,
        numbers=numbers if draws(strategies) else (),
    )


def _shared(
    call: Call,
    request: shapes.RunTaskRequest,
    draft: drafts.Draft,
    shared: Shared,
    view: ClusterView,
) -> shapes.RunTaskResponse:
    """Start what fits on the providers' hosts; the rest waits where a pool may grow for it."""
    wanting = provisioning.wanting(call, shared, view)
    providers = {arn: view.hosts[arn].instance.capacity_provider for arn in shared.placed.chosen}
    draft = evolve(draft, providers=providers)
    started = _start(call, draft, shared.placed, view)
    waiting = provisioning.wait(call, draft, wanting.waits, request)
    _claim(call, draft, waiting)
    return shapes.RunTaskResponse(
        tasks=[views.view(task, tags=True) for task in (*started, *waiting)],
        failures=[failure for placed in wanting.refused for failure in _failures(placed)],
    )


def _asked(call: Call, request: _Request) -> tuple[Cluster, TaskDefinition]:
    """The cluster and the definition; raises the faults of what does not fit."""
    if request.reference_id:
        raise UnsupportedFeatureException("referenceId is not supported yet.")
    if request.propagate_tags == "SERVICE":
        raise InvalidParameterException("A task without a service cannot inherit a service's tags.")
    heed(refuse_tags(request.tags))
    cluster = clusters.active(call.tx, call, request.cluster)
    _refuse_frozen(call, cluster)
    definition = task_definitions.active(call.tx, call, request.task_definition or "")
    heed(refuse_network(definition.definition, request.network_configuration))
    if request.overrides is not None:
        heed(refuse_overrides(definition.definition, request.overrides))
    return cluster, definition


def _refuse_frozen(call: Call, cluster: Cluster) -> None:
    """Raise ClientException while the whole cluster is frozen."""
    freeze = holds(
        freezes.holding(call.tx, call.account, call.region, cluster.name, "", call.now), call.now
    )
    if freeze is not None:
        raise ClientException(refusal(cluster.name, freeze))


def _group(definition: TaskDefinition, request: _Request) -> str:
    return request.group or f"family:{definition.family}"


def _draft(
    call: Call,
    cluster: Cluster,
    definition: TaskDefinition,
    request: _Request,
    launch_type: str,
) -> drafts.Draft:
    inherited = definition.tags if request.propagate_tags == "TASK_DEFINITION" else []
    heed(refuse_inheritance(request.tags or (), inherited))
    managed = cluster.name if request.enable_ecs_managed_tags else ""
    return drafts.Draft(
        account=call.account,
        region=call.region,
        cluster=cluster.name,
        definition=definition,
        group=_group(definition, request),
        launch_type=launch_type,
        started_by=request.started_by or "",
        overrides=request.overrides,
        enable_execute_command=bool(request.enable_execute_command),
        tags=task_tags(request.tags or (), inherited, cluster=managed, service=""),
    )


def _start(
    call: Call, draft: drafts.Draft, placed: Placements, view: ClusterView
) -> Sequence[Task]:
    """Promise the hosts, write the tasks, and claim what their images mean now."""
    promise(call.tx, view, placed.chosen)
    zones = [(arn, view.hosts[arn].instance.zone) for arn in placed.chosen]
    started = drafts.start(call.tx, draft, zones)
    _claim(call, draft, started)
    return started


def _claim(call: Call, draft: drafts.Draft, started: Sequence[Task]) -> None:
    """Claim what the images of tasks mean now."""
    names = call.site.names
    written = [one.image or "" for one in draft.definition.definition.container_definitions or ()]
    meant = [
        RevisionImage(
            container_name="", image=image, digest=images.digest_now(call.tx, names, call, image)
        )
        for image in written
    ]
    for task in started:
        images.claim(call.tx, names, call, task.arn, meant)


def _failures(placed: Placements) -> list[Failure]:
    return [
        Failure(arn=one.arn or None, reason=one.reason, detail=one.detail or None)
        for one in failures(placed.unplaced)
    ]
