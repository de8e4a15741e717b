"""PutClusterCapacityProviders: which providers a cluster has, and its default strategy."""

from moorage.ecs.rules.capacity.strategy import refuse_strategy
from moorage.ecs.store import capacity, clusters, holdings
from moorage.ecs.views import cluster as views
from moorage.ecs.views.refusal import heed
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs import cluster as shapes
from moorage.shapes.ecs.faults import InvalidParameterException, ResourceInUseException


@operation()
def put_cluster_capacity_providers(
    call: Call, request: shapes.PutClusterCapacityProvidersRequest
) -> shapes.PutClusterCapacityProvidersResponse:
    """Put these providers and this default strategy in place of what the cluster had.

    Raises ResourceInUseException where one that is left out is used by a task or a service.
    """
    names = request.capacity_providers
    strategy = request.default_capacity_provider_strategy
    if names is None or strategy is None:
        raise InvalidParameterException(
            "Both capacityProviders and defaultCapacityProviderStrategy must be specified; an "
            "empty list means none."
        )
    cluster = clusters.active(call.tx, call, request.cluster)
    heed(capacity.refuse_association(call, cluster.name, names))
    heed(refuse_strategy(strategy, names))
    gone = set(cluster.capacity_providers) - set(names)
    used = sorted(gone & capacity.used_in(call.tx, cluster.arn)) if gone else []
    if used:
        raise ResourceInUseException(
            "The specified capacity provider is in use and cannot be removed from the cluster: "
            f"{', '.join(used)}."
        )
    changed = evolve(cluster, capacity_providers=names, default_strategy=strategy)
    if changed != cluster:
        clusters.put(call.tx, changed)
    return shapes.PutClusterCapacityProvidersResponse(
        cluster=views.view(changed, holdings.of_cluster(call.tx, changed.arn), views.EVERYTHING)
    )
