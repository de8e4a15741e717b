"""Moorage_V1 ExplainService, ExplainDeployment, ExplainHost: why each is as it is."""

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.rules.explanation import deployment as deployment_rules
from moorage.ecs.rules.explanation import host as host_rules
from moorage.ecs.rules.explanation import service as service_rules
from moorage.ecs.rules.placement.view import cluster_view
from moorage.ecs.rules.task.ending import Cause
from moorage.ecs.store import (
    cases,
    clusters,
    container_instances,
    service_deployments,
    services,
    tasks,
)
from moorage.ecs.store.view import cluster_view as view_of_others
from moorage.ecs.views import explanation as views
from moorage.ecs.views import host as host_views
from moorage.ground.arn import is_arn
from moorage.ground.fault import Validation
from moorage.ground.instant import iso
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs.faults import InvalidParameterException
from moorage.shapes.moorage import explanation as shapes

_SERVICE_PREFIX = ":service-deployment/"
_ID_PREFIX = "ecs-svc/"


@operation(reads=True)
def explain_service(
    call: Call, request: shapes.ExplainServiceRequest
) -> shapes.ExplainServiceResponse:
    """Say what a service wants, has and waits for, and where its next task could go.

    Raises ClusterNotFoundException and ServiceNotFoundException.
    """
    cluster = clusters.active(call.tx, call, request.cluster)
    service = services.needed(call.tx, call, request.service or "", cluster.name)
    if service.status == "INACTIVE":
        when = "" if service.deleted_at is None else f" at {iso(service.deleted_at)}"
        return shapes.ExplainServiceResponse(
            service_arn=service.arn,
            status=service.status,
            headline=f"Service {service.name} was deleted{when}, and all its tasks have ended.",
        )
    case = cases.of_service(call.tx, call.site, service)
    found = service_rules.explain(case)
    return shapes.ExplainServiceResponse(
        service_arn=service.arn,
        status=service.status,
        deployment=service.deployment,
        headline=found.headline,
        desired_count=service.desired_count,
        running_count=found.running,
        pending_count=found.pending,
        healthy_count=found.healthy,
        waits=views.waits(found.waits),
        causes=views.causes((*found.causes, *_setback(call, service))),
        placement=views.outlook(case.room),
    )


@operation(reads=True)
def explain_deployment(
    call: Call, request: shapes.ExplainDeploymentRequest
) -> shapes.ExplainDeploymentResponse:
    """Say how a deployment went, what failed, why it was rolled back, and what it waits for.

    Raises ClusterNotFoundException, and InvalidParameterException where none is meant.
    """
    cluster = clusters.active(call.tx, call, request.cluster)
    deployment = _deployment(call, cluster, request.deployment or "")
    found = deployment_rules.explain(cases.of_deployment(call.tx, call.site, deployment))
    return shapes.ExplainDeploymentResponse(
        service_deployment_arn=deployment.arn,
        deployment=deployment.id,
        service=deployment.service.rpartition("/")[2],
        task_definition=deployment.task_definition,
        status=deployment.status,
        rollout_state=deployment.rollout_state,
        headline=found.headline,
        desired_count=deployment.desired_count,
        running_count=found.running,
        waits=views.waits(found.waits),
        causes=views.causes(found.causes),
        failed_tasks=list(found.failed),
    )


@operation(reads=True)
def explain_host(call: Call, request: shapes.ExplainHostRequest) -> shapes.ExplainHostResponse:
    """Say where a host stands, what it holds and promises, and why it gets no tasks.

    Raises ClusterNotFoundException, and Validation for a stranger.
    """
    cluster = clusters.active(call.tx, call, request.cluster)
    instance = container_instances.called(call.tx, call, request.host or "", cluster.name)
    if instance is None:
        raise Validation(
            f"The cluster {cluster.name} has no host {request.host}. They are listed by: moorage "
            "host list"
        )
    live = tasks.live_of_instance(call.tx, instance.arn)
    load = cluster_view([instance], live).hosts[instance.arn]
    others = view_of_others(call.tx, cluster.arn).hosts.get(instance.arn)
    found = host_rules.explain(load, live, cases.waiting(call.tx, cluster.arn), others)
    return shapes.ExplainHostResponse(
        host=host_views.view(instance, live, call.now),
        headline=found.headline,
        resources=views.resources(found),
        tasks=views.held(found),
        reserved_ports=list(found.reserved),
        reasons=list(found.reasons),
    )


def _setback(call: Call, service: Service) -> tuple[Cause, ...]:
    """Why its newest deployment is not the one that it is brought to, where it went back."""
    newest = _newest(call, service)
    if newest is None or newest.id == service.deployment:
        return ()
    found = deployment_rules.setback(cases.of_deployment(call.tx, call.site, newest))
    return (found,) if found is not None else ()


def _newest(call: Call, service: Service) -> ServiceDeployment | None:
    """The deployment of a service that was made last."""
    known = service_deployments.of_service(call.tx, service.arn)
    return max(known, key=lambda one: (one.created_at, one.id == service.deployment), default=None)


def _deployment(call: Call, cluster: Cluster, text: str) -> ServiceDeployment:
    """The deployment that is meant: by ARN, by id, or the newest of a service.

    That is the one made last, also where it failed and the service went back to another.
    """
    found: ServiceDeployment | None = None
    if _SERVICE_PREFIX in text:
        found = service_deployments.named(call.tx, [text]).get(text)
    elif text.startswith(_ID_PREFIX):
        among = [one.arn for one in services.live_of_cluster(call.tx, cluster.arn)]
        found = cases.deployment_of_id(call.tx, among, text)
    elif text and (service := services.find(call.tx, call, text, cluster.name)) is not None:
        found = _newest(call, service)
    own = found is not None and (found.account, found.region) == (call.account, call.region)
    if found is None or not own:
        named = "" if is_arn(text) else f" in the cluster {cluster.name}"
        raise InvalidParameterException(
            f"There is no deployment {text}{named}. Name it by its id (ecs-svc/N), its ARN, or the "
            "name of its service for the newest one."
        )
    return found
