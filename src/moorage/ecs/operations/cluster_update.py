"""Clusters change: UpdateCluster and UpdateClusterSettings."""

from moorage.ecs.rules.cluster import refuse_configuration, refuse_connect, refuse_settings
from moorage.ecs.store import clusters, holdings
from moorage.ecs.views import cluster as views
from moorage.ecs.views.refusal import heed
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs import cluster as shapes
from moorage.shapes.ecs.faults import InvalidParameterException


@operation()
def update_cluster(
    call: Call, request: shapes.UpdateClusterRequest
) -> shapes.UpdateClusterResponse:
    """Put what is named in place of what the cluster had; the rest stays as it is.

    An empty Service Connect namespace takes a default away, and there is none: nothing changes.
    """
    heed(refuse_connect(request.service_connect_defaults))
    heed(refuse_settings(request.settings))
    heed(refuse_configuration(request.configuration))
    cluster = clusters.active(call.tx, call, request.cluster)
    changed = evolve(
        cluster,
        settings=request.settings or cluster.settings,
        configuration=request.configuration or cluster.configuration,
    )
    if changed != cluster:
        clusters.put(call.tx, changed)
    return shapes.UpdateClusterResponse(
        cluster=views.view(changed, holdings.of_cluster(call.tx, changed.arn), views.EVERYTHING)
    )


@operation()
def update_cluster_settings(
    call: Call, request: shapes.UpdateClusterSettingsRequest
) -> shapes.UpdateClusterSettingsResponse:
    """Set a cluster's settings, whatever the account's own setting says."""
    if not request.settings:
        raise InvalidParameterException("Settings cannot be empty.")
    heed(refuse_settings(request.settings))
    cluster = clusters.active(call.tx, call, request.cluster)
    changed = evolve(cluster, settings=request.settings)
    if changed != cluster:
        clusters.put(call.tx, changed)
    return shapes.UpdateClusterSettingsResponse(
        cluster=views.view(changed, holdings.of_cluster(call.tx, changed.arn), views.EVERYTHING)
    )
