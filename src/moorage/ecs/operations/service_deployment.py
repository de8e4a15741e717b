"""Deployments and revisions of services: ListServiceDeployments and the two that describe."""

from collections.abc import Container

from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.store import clusters, service_deployments, service_revisions, services, tasks
from moorage.ecs.store.identity import own_arn
from moorage.ecs.views import deployment as views
from moorage.ground.instant import from_epoch
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecs import service_deployment as shapes
from moorage.shapes.ecs import service_revision as revision_shapes
from moorage.shapes.ecs.failure import Failure
from moorage.shapes.ecs.faults import InvalidParameterException

DESCRIBED_MAX = 20
PAGE_LENGTH = 20
PAGE_LENGTH_MAX = 100
NEWEST = 2**63 - 1


@operation(reads=True)
def list_service_deployments(
    call: Call, request: shapes.ListServiceDeploymentsRequest
) -> shapes.ListServiceDeploymentsResponse:
    """List the deployments of a service, newest first, perhaps of some statuses or of a time."""
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH_MAX, refused=InvalidParameterException
    )
    cluster = clusters.active(call.tx, call, request.cluster)
    service = services.needed(call.tx, call, request.service or "", cluster.name)
    found = [
        one
        for one in service_deployments.of_service(call.tx, service.arn)
        if _matches(one, request)
    ]
    shown, following = listing.cut(found, _newest_first)
    return shapes.ListServiceDeploymentsResponse(
        service_deployments=[views.brief(one) for one in shown], next_token=following
    )


@operation(reads=True)
def describe_service_deployments(
    call: Call, request: shapes.DescribeServiceDeploymentsRequest
) -> shapes.DescribeServiceDeploymentsResponse:
    """Describe up to twenty deployments by ARN."""
    arns = _bounded(call, "service-deployment", request.service_deployment_arns or [])
    found = service_deployments.named(call.tx, arns)
    live = tasks.live_of_services(call.tx, {one.service for one in found.values()})
    return shapes.DescribeServiceDeploymentsResponse(
        service_deployments=[
            views.view(found[arn], [task for task in live if task.service == found[arn].service])
            for arn in arns
            if arn in found
        ],
        failures=_missing(arns, found),
    )


@operation(reads=True)
def describe_service_revisions(
    call: Call, request: revision_shapes.DescribeServiceRevisionsRequest
) -> revision_shapes.DescribeServiceRevisionsResponse:
    """Describe up to twenty revisions by ARN, with the digests to which images are pinned."""
    arns = _bounded(call, "service-revision", request.service_revision_arns or [])
    found = service_revisions.named(call.tx, arns)
    return revision_shapes.DescribeServiceRevisionsResponse(
        service_revisions=[views.revision(found[arn]) for arn in arns if arn in found],
        failures=_missing(arns, found),
    )


def _matches(deployment: ServiceDeployment, request: shapes.ListServiceDeploymentsRequest) -> bool:
    created = request.created_at
    after = created.after if created else None
    before = created.before if created else None
    return (
        (not request.status or deployment.status in request.status)
        and (after is None or deployment.created_at >= from_epoch(after))
        and (before is None or deployment.created_at <= from_epoch(before))
    )


def _newest_first(deployment: ServiceDeployment) -> str:
    """A sort key that grows as deployments get older; pages stay in order while more begin."""
    return f"{NEWEST - deployment.created_at:020d} {deployment.arn}"


def _bounded(call: Call, kind: str, arns: list[str]) -> list[str]:
    """The ARNs asked for, each once; raises InvalidParameterException for a foreign one."""
    if not 1 <= len(arns) <= DESCRIBED_MAX:
        raise InvalidParameterException(f"Name 1 to {DESCRIBED_MAX} ARNs of a {kind}.")
    for arn in arns:
        own_arn(call, kind, arn)
    return list(dict.fromkeys(arns))


def _missing(arns: list[str], found: Container[str]) -> list[Failure]:
    return [Failure(arn=arn, reason="MISSING") for arn in arns if arn not in found]
