"""Moorage_V1 PreviewRebalancing, StartRebalancing, ListRebalancings: what would move, and what does."""

from moorage.ecs.records.rebalancing import ClusterRebalancing
from moorage.ecs.rules.rebalancing.plan import Question
from moorage.ecs.store import clusters, container_instances, rebalances, services, sights, tasks
from moorage.ecs.views import rebalancing as views
from moorage.ground.fault import Validation
from moorage.ground.instant import Duration, Instant
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs.faults import ServiceNotActiveException
from moorage.shapes.moorage import rebalancing as shapes


@operation(reads=True)
def preview_rebalancing(
    call: Call, request: shapes.PreviewRebalancingRequest
) -> shapes.PreviewRebalancingResponse:
    """Show which tasks would move, from which host to which, in order, and why all others stay.

    Changes nothing. Raises ClusterNotFoundException, ServiceNotFoundException and
    ServiceNotActiveException.
    """
    cluster, service = _scope(call, request.cluster, request.service)
    return _foreseen(call, cluster, service, settled=bool(request.settled))


@operation()
def start_rebalancing(
    call: Call, request: shapes.StartRebalancingRequest
) -> shapes.StartRebalancingResponse:
    """Rebalance now: hosts need not have settled; all else that holds a task where it is, holds.

    Raises what PreviewRebalancing raises, and Validation where the server is set to move nothing.
    """
    if not call.site.rebalance_moves_max:
        raise Validation("This server moves no tasks: its setting rebalance_moves_max is 0.")
    cluster, service = _scope(call, request.cluster, request.service)
    known = rebalances.get(call.tx, call.account, call.region, cluster)
    fresh = known or ClusterRebalancing(
        account=call.account, region=call.region, cluster=cluster, looked_at=Instant(0)
    )
    rebalances.ask(call.tx, fresh, service)
    shown = _foreseen(call, cluster, service, settled=False)
    return shapes.StartRebalancingResponse(
        moves=shown.moves,
        stays=shown.stays,
        closed_hosts=shown.closed_hosts,
        moves_max=shown.moves_max,
    )


@operation(reads=True)
def list_rebalancings(
    call: Call, request: shapes.ListRebalancingsRequest
) -> shapes.ListRebalancingsResponse:
    """List the services of a cluster that are being rebalanced, with each move under way.

    Raises ClusterNotFoundException.
    """
    cluster = clusters.active(call.tx, call, request.cluster)
    found = {
        one.arn: one
        for one in services.live_of_cluster(call.tx, cluster.arn)
        if one.rebalancing.since is not None or one.rebalancing.planned
    }
    live = tasks.live_of_services(call.tx, found) if found else []
    hosts = container_instances.named(call.tx, {task.instance for task in live})
    return shapes.ListRebalancingsResponse(
        rebalancings=[
            views.progress(one, [task for task in live if task.service == one.arn], hosts)
            for one in sorted(found.values(), key=lambda one: one.name)
        ]
    )


def _foreseen(
    call: Call, cluster: str, service: str, *, settled: bool
) -> shapes.PreviewRebalancingResponse:
    found = clusters.active(call.tx, call, cluster)
    settling = call.site.rebalance_settling if settled else Duration(0)
    question = Question(
        now=call.now,
        # Shown even where the server moves nothing: what it would.
        moves_max=call.site.rebalance_moves_max or 1,
        pause=Duration(0),
        whole=True,
    )
    foreseen = sights.foresee(call.tx, found.arn, question, settling, (service,) if service else ())
    return views.view(foreseen.outcome, foreseen.field, call.site.rebalance_moves_max)


def _scope(call: Call, cluster: str | None, service: str | None) -> tuple[str, str]:
    """The names of a cluster and of a service, "" where none was named; raises what is not there."""
    found = clusters.active(call.tx, call, cluster)
    if not service:
        return found.name, ""
    named = services.needed(call.tx, call, service, found.name)
    if named.status != "ACTIVE":
        raise ServiceNotActiveException("Service was not ACTIVE.")
    return found.name, named.name
