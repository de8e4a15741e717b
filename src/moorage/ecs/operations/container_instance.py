"""Hosts after they have joined: Describe, List, drain and undrain, Deregister."""

from collections.abc import Collection, Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Task
from moorage.ecs.rules.placement.expression import Expression, Rejection, holds, parse
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ecs.store import clusters, container_instances, tasks
from moorage.ecs.views import container_instance as views
from moorage.ground.arn import is_arn, make_arn
from moorage.ground.fault import AccessDenied
from moorage.ground.record import evolve
from moorage.iam.store import access_keys
from moorage.kernel.call import Call
from moorage.kernel.operation import ANYONE, operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecs import container_instance as shapes
from moorage.shapes.ecs.failure import Failure
from moorage.shapes.ecs.faults import InvalidParameterException
from moorage.sql.transaction import Transaction

DESCRIBED_MAX = 100
CHANGED_MAX = 10
PAGE_LENGTH = 100
SETTABLE = ("ACTIVE", "DRAINING")


@operation(reads=True)
def describe_container_instances(
    call: Call, request: shapes.DescribeContainerInstancesRequest
) -> shapes.DescribeContainerInstancesResponse:
    """Describe up to a hundred hosts by id or ARN, with what is left of each."""
    texts = request.container_instances or []
    _bounded(texts, DESCRIBED_MAX)
    cluster = clusters.active(call.tx, call, request.cluster)
    found, missing = _named(call, cluster.name, texts)
    return shapes.DescribeContainerInstancesResponse(
        container_instances=_shown(call.tx, found, request.include or ()), failures=missing
    )


@operation(reads=True)
def list_container_instances(
    call: Call, request: shapes.ListContainerInstancesRequest
) -> shapes.ListContainerInstancesResponse:
    """List the ARNs of hosts, all but the INACTIVE where no status is given.

    `filter` is an expression of the cluster query language.
    """
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH, refused=InvalidParameterException
    )
    expression = _expression(request.filter)
    cluster = clusters.active(call.tx, call, request.cluster)
    statuses = (request.status,) if request.status else container_instances.LIVE
    found: list[str] = []
    after = listing.after
    more = True
    while more and len(found) <= listing.limit:
        page = container_instances.page(call.tx, cluster.arn, statuses, after, PAGE_LENGTH)
        found += _holding(call.tx, expression, page)
        more = len(page) == PAGE_LENGTH
        after = page[-1].arn if page else after
    shown, following = listing.cut(found, str)
    return shapes.ListContainerInstancesResponse(
        container_instance_arns=shown, next_token=following
    )


def own_instances(
    call: Call, request: shapes.UpdateContainerInstancesStateRequest
) -> Sequence[str]:
    """The hosts to drain; a host may drain itself."""
    if call.principal.kind != "host":
        return ()
    cluster = clusters.active(call.tx, call, request.cluster)
    arns = [
        container_instances.arn_of(call, text, cluster.name)
        for text in request.container_instances or ()
    ]
    return [arn or "" for arn in arns]


@operation(callers=ANYONE, resource=own_instances)
def update_container_instances_state(
    call: Call, request: shapes.UpdateContainerInstancesStateRequest
) -> shapes.UpdateContainerInstancesStateResponse:
    """Drain hosts, or take them back: a DRAINING host gets no new task and gives its own away.

    A host may drain itself (as Amazon's agent does before a machine is taken away) and no more:
    one that people have drained does not come back by its own word. A flapping host that a person
    calls ACTIVE takes tasks again at once.
    """
    texts = request.container_instances or []
    _bounded(texts, CHANGED_MAX)
    if request.status not in SETTABLE:
        raise InvalidParameterException(
            "Container instances status should be one of [ACTIVE,DRAINING]."
        )
    if call.principal.kind == "host" and request.status != "DRAINING":
        raise AccessDenied("A host may drain itself; to take it back is for people.")
    cluster = clusters.active(call.tx, call, request.cluster)
    found, failures = _named(call, cluster.name, texts)
    changed: list[ContainerInstance] = []
    for instance in found:
        if instance.status == "INACTIVE":
            failures.append(Failure(arn=instance.arn, reason="INACTIVE"))
            continue
        after = instance
        if instance.status != request.status:
            # A deadline belongs to the drain that it was given with.
            after = evolve(after, status=request.status, drain=None)
        if request.status == "ACTIVE":
            after = evolve(after, flapping_until=None)
        changed.append(after if after == instance else container_instances.write(call.tx, after))
    return shapes.UpdateContainerInstancesStateResponse(
        container_instances=_shown(call.tx, changed, (views.TAGS,)), failures=failures
    )


@operation()
def deregister_container_instance(
    call: Call, request: shapes.DeregisterContainerInstanceRequest
) -> shapes.DeregisterContainerInstanceResponse:
    """Take a host out of its cluster; with `force` also one with tasks, which are then lost to us.

    Its agent is told with the next handshake; services replace their tasks elsewhere. From now on
    its key opens nothing: neither another instance nor the registry.
    """
    cluster = clusters.active(call.tx, call, request.cluster)
    text = request.container_instance or ""
    instance = container_instances.find(call.tx, call, text, cluster.name)
    if instance is None or instance.status == "INACTIVE":
        raise InvalidParameterException("The referenced container instance was not found.")
    live = tasks.live_of_instance(call.tx, instance.arn)
    if live and not request.force:
        raise InvalidParameterException("Found running tasks on the instance.")
    gone = container_instances.write(
        call.tx,
        evolve(instance, status="INACTIVE", connected=False, deregistered_at=call.now),
    )
    for key in access_keys.of_instance(call.tx, gone.arn):
        access_keys.put(call.tx, evolve(key, retired=True))
    return shapes.DeregisterContainerInstanceResponse(
        container_instance=views.view(gone, live, (views.TAGS,))
    )


def _bounded(texts: Sequence[str], most: int) -> None:
    if not texts:
        raise InvalidParameterException("Container instances cannot be empty.")
    if len(texts) > most:
        raise InvalidParameterException(
            f"Container instances cannot have more than {most} elements."
        )


def _named(
    call: Call, cluster: str, texts: Sequence[str]
) -> tuple[list[ContainerInstance], list[Failure]]:
    """The hosts that a caller named, in that order, and MISSING for the rest."""
    arns = [container_instances.arn_of(call, text, cluster) for text in texts]
    known = container_instances.named(call.tx, [arn for arn in arns if arn])
    found = [known[arn] for arn in dict.fromkeys(arns) if arn in known and arn is not None]
    missing = [
        Failure(arn=text if is_arn(text) else arn or _arn(call, cluster, text), reason="MISSING")
        for arn, text in zip(arns, texts, strict=True)
        if arn not in known
    ]
    return found, missing


def _arn(call: Call, cluster: str, text: str) -> str:
    return make_arn(
        "container-instance", call.region, call.account, cluster, text.rpartition("/")[2]
    )


def _shown(
    tx: Transaction, instances: Sequence[ContainerInstance], include: Collection[str]
) -> list[shapes.ContainerInstance]:
    live: dict[str, list[Task]] = {}
    for task in tasks.live_of_instances(tx, [instance.arn for instance in instances]):
        live.setdefault(task.instance, []).append(task)
    return [views.view(one, live.get(one.arn, []), include) for one in instances]


def _expression(text: str | None) -> Expression | None:
    if not text:
        return None
    parsed = parse(text)
    if isinstance(parsed, Rejection):
        raise InvalidParameterException(
            f"Invalid filter at character {parsed.position}: {parsed.message}"
        )
    return parsed


def _holding(
    tx: Transaction, expression: Expression | None, page: Sequence[ContainerInstance]
) -> list[str]:
    """The ARNs of the hosts of which the expression is true; of all where there is none."""
    if expression is None:
        return [instance.arn for instance in page]
    live = tasks.live_of_instances(tx, [instance.arn for instance in page])
    view = cluster_view(page, live)
    return [arn for arn, host in sorted(view.hosts.items()) if holds(expression, host)]
