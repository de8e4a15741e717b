"""Clusters change: UpdateCluster and UpdateClusterSettings."""

from moorage.ecs.operations.cluster import EVERYTHING, shown
from moorage.ecs.rules.cluster import refuse_configuration, refuse_connect, refuse_settings
from moorage.ecs.store import clusters
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
    return shapes.UpdateClusterResponse(cluster=shown(call, changed, EVERYTHING))


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
    return shapes.UpdateClusterSettingsResponse(cluster=shown(call, changed, EVERYTHING))
