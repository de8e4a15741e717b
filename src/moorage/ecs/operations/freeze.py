"""Moorage_V1 FreezeScheduling, ThawScheduling, ListFreezes: a person holds the scheduler still."""

from moorage.ecs.records.freeze import Freeze
from moorage.ecs.rules.freeze import HOLDING, is_active
from moorage.ecs.store import clusters, freezes, services
from moorage.ground.fault import Validation
from moorage.ground.instant import epoch, later, seconds
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs.faults import ServiceNotActiveException
from moorage.shapes.moorage import freeze as shapes


@operation()
def freeze_scheduling(
    call: Call, request: shapes.FreezeSchedulingRequest
) -> shapes.FreezeSchedulingResponse:
    """Let nothing of a cluster or a service be started, stopped or replaced, for a while.

    A second freeze by a person takes the place of the first. Raises ClusterNotFoundException,
    ServiceNotFoundException and ServiceNotActiveException.
    """
    reason = (request.reason or "").strip()
    if not reason:
        raise Validation("reason says to others why this is frozen: it cannot be blank.")
    length = request.duration_seconds
    cluster, service = _scope(call, request.cluster, request.service)
    frozen = Freeze(
        account=call.account,
        region=call.region,
        cluster=cluster,
        service=service,
        cause="operator",
        reason=reason,
        created_at=call.now,
        until=None if length is None else later(call.now, seconds(length)),
        created_by=call.principal.arn,
    )
    freezes.put(call.tx, frozen)
    return shapes.FreezeSchedulingResponse(freeze=_shown(frozen))


@operation()
def thaw_scheduling(
    call: Call, request: shapes.ThawSchedulingRequest
) -> shapes.ThawSchedulingResponse:
    """End the freezes of a person and of a restored database, of just this cluster or service.

    The brake is not among them: hosts that return, or are confirmed lost, release it.
    """
    cluster, service = _scope(call, request.cluster, request.service)
    ended = [
        one
        for one in freezes.of_cluster(call.tx, call.account, call.region, cluster)
        if one.service == service and one.cause in HOLDING
    ]
    for one in ended:
        freezes.delete(call.tx, one)
    return shapes.ThawSchedulingResponse(
        thawed=[_shown(one) for one in ended if is_active(one, call.now)]
    )


@operation(reads=True)
def list_freezes(call: Call, request: shapes.ListFreezesRequest) -> shapes.ListFreezesResponse:
    """List the freezes that hold now, those of the brake too."""
    if request.cluster:
        name = clusters.active(call.tx, call, request.cluster).name
        found = freezes.of_cluster(call.tx, call.account, call.region, name)
    else:
        found = freezes.of_account(call.tx, call.account, call.region)
    active = [one for one in found if is_active(one, call.now)]
    ordered = sorted(active, key=lambda one: (one.cluster, one.service, one.cause))
    return shapes.ListFreezesResponse(freezes=[_shown(one) for one in ordered])


def _scope(call: Call, cluster: str | None, service: str | None) -> tuple[str, str]:
    """The names of a cluster and of a service, "" where none was named; raises what is not there."""
    found = clusters.active(call.tx, call, cluster)
    if not service:
        return found.name, ""
    named = services.needed(call.tx, call, service, found.name)
    if named.status == "INACTIVE":
        raise ServiceNotActiveException("Service was not ACTIVE.")
    return found.name, named.name


def _shown(freeze: Freeze) -> shapes.FrozenScope:
    return shapes.FrozenScope(
        cluster=freeze.cluster,
        service=freeze.service or None,
        cause=freeze.cause,
        reason=freeze.reason,
        created_at=epoch(freeze.created_at),
        created_by=freeze.created_by or None,
        until=None if freeze.until is None else epoch(freeze.until),
    )
