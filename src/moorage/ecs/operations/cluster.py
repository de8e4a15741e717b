"""Clusters: CreateCluster, DescribeClusters, ListClusters, DeleteCluster."""

from collections.abc import Collection

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.rules import account_settings as switches
from moorage.ecs.rules.capacity.strategy import refuse_strategy
from moorage.ecs.rules.cluster import (
    INSIGHTS,
    SETTINGS_DEFAULT,
    refuse_configuration,
    refuse_connect,
    refuse_settings,
)
from moorage.ecs.rules.tags import refuse_tags
from moorage.ecs.store import (
    account_settings,
    capacity,
    clusters,
    container_instances,
    holdings,
    services,
    tasks,
)
from moorage.ecs.store.identity import name_of
from moorage.ecs.views import cluster as views
from moorage.ecs.views.refusal import heed
from moorage.ground.arn import is_arn, make_arn
from moorage.ground.names import RESOURCE_NAME
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecs import cluster as shapes
from moorage.shapes.ecs.failure import Failure
from moorage.shapes.ecs.faults import (
    ClusterContainsContainerInstancesException,
    ClusterContainsServicesException,
    ClusterContainsTasksException,
    InvalidParameterException,
)

DESCRIBED_MAX = 100
PAGE_LENGTH = 100


@operation()
def create_cluster(
    call: Call, request: shapes.CreateClusterRequest
) -> shapes.CreateClusterResponse:
    """Make a cluster, named `default` where no name is given; asked again alike, answer the same.

    `settings` and `configuration` are kept and echoed: they only observe.
    """
    name = request.cluster_name or clusters.DEFAULT
    if not RESOURCE_NAME.fullmatch(name):
        raise InvalidParameterException(
            "The cluster name must be 1 to 255 letters, digits, hyphens and underscores."
        )
    names = request.capacity_providers or []
    strategy = request.default_capacity_provider_strategy or []
    heed(capacity.refuse_association(call, name, names))
    heed(refuse_strategy(strategy, names))
    heed(refuse_connect(request.service_connect_defaults))
    heed(refuse_tags(request.tags))
    heed(refuse_settings(request.settings))
    heed(refuse_configuration(request.configuration))
    settings = request.settings or []
    found = clusters.get(call.tx, call.account, call.region, name)
    if found is not None and found.status == "ACTIVE":
        cluster = _same(found, request, settings)
    else:
        cluster = Cluster(
            account=call.account,
            region=call.region,
            name=name,
            arn=make_arn("cluster", call.region, call.account, name),
            status="ACTIVE",
            created_at=call.now,
            settings=settings or _usual_settings(call),
            configuration=request.configuration,
            capacity_providers=names,
            default_strategy=strategy,
            tags=request.tags or [],
        )
    clusters.put(call.tx, cluster)
    return shapes.CreateClusterResponse(cluster=_shown(call, cluster, views.EVERYTHING))


@operation(reads=True)
def describe_clusters(
    call: Call, request: shapes.DescribeClustersRequest
) -> shapes.DescribeClustersResponse:
    """Describe up to a hundred clusters by name or ARN; none named means `default`."""
    names = request.clusters or [clusters.DEFAULT]
    if len(names) > DESCRIBED_MAX:
        raise InvalidParameterException(f"Clusters cannot have more than {DESCRIBED_MAX} elements.")
    found: list[shapes.Cluster] = []
    missing: list[Failure] = []
    for text in names:
        cluster = clusters.find(call.tx, call, text)
        if cluster is None:
            missing.append(Failure(arn=_arn(call, text), reason="MISSING"))
        else:
            found.append(_shown(call, cluster, request.include or ()))
    return shapes.DescribeClustersResponse(clusters=found, failures=missing)


@operation(reads=True)
def list_clusters(call: Call, request: shapes.ListClustersRequest) -> shapes.ListClustersResponse:
    """List the ARNs of all ACTIVE clusters, by name."""
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH, refused=InvalidParameterException
    )
    found = clusters.page(call.tx, call, listing.after, listing.limit + 1)
    listed, following = listing.cut(found, lambda cluster: cluster.name)
    return shapes.ListClustersResponse(
        cluster_arns=[cluster.arn for cluster in listed], next_token=following
    )


@operation()
def delete_cluster(
    call: Call, request: shapes.DeleteClusterRequest
) -> shapes.DeleteClusterResponse:
    """Delete a cluster in which nothing is left; it stays describable, INACTIVE, for a while.

    The capacity providers of pools are let go. Those of managed instances, the fourth thing that
    keeps a cluster, are none yet.
    """
    cluster = clusters.active(call.tx, call, request.cluster)
    if container_instances.live_count(call.tx, cluster.arn):
        raise ClusterContainsContainerInstancesException(
            "The Cluster cannot be deleted while Container Instances are active or draining."
        )
    if services.live_of_cluster(call.tx, cluster.arn):
        raise ClusterContainsServicesException(
            "The Cluster cannot be deleted while Services are active."
        )
    if tasks.live_count(call.tx, cluster.arn):
        raise ClusterContainsTasksException("The Cluster cannot be deleted while Tasks are active.")
    deleted = evolve(cluster, status="INACTIVE", deleted_at=call.now)
    clusters.put(call.tx, deleted)
    return shapes.DeleteClusterResponse(cluster=_shown(call, deleted, views.EVERYTHING))


def _usual_settings(call: Call) -> list[shapes.ClusterSetting]:
    """What a new cluster gets where none is asked for: as the caller's account settings say."""
    insights = account_settings.value_of(
        call.tx, call, call.principal.arn, switches.CONTAINER_INSIGHTS
    )
    return [shapes.ClusterSetting(name=INSIGHTS, value=insights)]


def _same(
    found: Cluster, request: shapes.CreateClusterRequest, settings: list[shapes.ClusterSetting]
) -> Cluster:
    """The cluster that is there, if what is asked agrees with it."""
    differs = (
        (request.tags is not None and request.tags != found.tags)
        or (bool(settings) and settings != (found.settings or [*SETTINGS_DEFAULT]))
        or (request.configuration is not None and request.configuration != found.configuration)
        or (request.capacity_providers or found.capacity_providers) != found.capacity_providers
        or (request.default_capacity_provider_strategy or found.default_strategy)
        != found.default_strategy
    )
    if differs:
        raise InvalidParameterException(
            "Arguments on this idempotent request are inconsistent with arguments used in "
            "previous request(s)."
        )
    return found


def _shown(call: Call, cluster: Cluster, include: Collection[str]) -> shapes.Cluster:
    return views.view(cluster, holdings.of_cluster(call.tx, cluster.arn), include)


def _arn(call: Call, text: str) -> str:
    """The ARN of a cluster that is not there, for its entry in `failures[]`."""
    if is_arn(text):
        return text
    return make_arn("cluster", call.region, call.account, name_of(call, "cluster", text))
