"""Services that are there: DescribeServices and ListServices."""

from moorage.ecs.store import clusters, services
from moorage.ecs.store.pictures import pictures
from moorage.ecs.views import service as views
from moorage.ground.arn import is_arn, make_arn
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecs import service as shapes
from moorage.shapes.ecs.failure import Failure
from moorage.shapes.ecs.faults import InvalidParameterException, UnsupportedFeatureException

DESCRIBED_MAX = 10
PAGE_LENGTH = 10
PAGE_LENGTH_MAX = 100


@operation(reads=True)
def describe_services(
    call: Call, request: shapes.DescribeServicesRequest
) -> shapes.DescribeServicesResponse:
    """Describe up to ten services by name or ARN, INACTIVE ones too while they are remembered."""
    texts = request.services or []
    if not texts:
        raise InvalidParameterException("Services cannot be empty.")
    if len(texts) > DESCRIBED_MAX:
        raise InvalidParameterException(f"Services cannot have more than {DESCRIBED_MAX} elements.")
    cluster = clusters.active(call.tx, call, request.cluster)
    arns = {text: services.arn_of(call, text, cluster.name) for text in texts}
    found = services.named(call.tx, [arn for arn in arns.values() if arn])
    shown = pictures(call.tx, [found[arn] for arn in dict.fromkeys(arns.values()) if arn in found])
    return shapes.DescribeServicesResponse(
        services=[views.view(picture, request.include or ()) for picture in shown],
        failures=[
            Failure(arn=_missing(call, cluster.name, text), reason="MISSING")
            for text, arn in arns.items()
            if arn not in found
        ],
    )


@operation(reads=True)
def list_services(call: Call, request: shapes.ListServicesRequest) -> shapes.ListServicesResponse:
    """List the ARNs of the ACTIVE services of a cluster, ten a page where nothing else is asked."""
    if request.resource_management_type == "ECS":
        raise UnsupportedFeatureException(
            "resourceManagementType ECS is not supported yet: Moorage does not have express services."
        )
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH_MAX, refused=InvalidParameterException
    )
    cluster = clusters.active(call.tx, call, request.cluster)
    columns = {
        "launch_type": request.launch_type,
        "scheduling_strategy": request.scheduling_strategy,
    }
    filters = {"cluster_arn": cluster.arn, "status": "ACTIVE"} | {
        name: value for name, value in columns.items() if value
    }
    found = services.page(call.tx, filters, listing.after, listing.limit + 1)
    shown, following = listing.cut(found, lambda service: service.arn)
    return shapes.ListServicesResponse(
        service_arns=[service.arn for service in shown], next_token=following
    )


def _missing(call: Call, cluster: str, text: str) -> str:
    if is_arn(text):
        return text
    return make_arn("service", call.region, call.account, cluster, text.rpartition("/")[2])
