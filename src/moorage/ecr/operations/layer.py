"""BatchCheckLayerAvailability: which layers a push need not send."""

from moorage.ecr.store import layers
from moorage.ecr.store.registry import the_repository
from moorage.ground.digest import parse_digest
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecr.layer import (
    BatchCheckLayerAvailabilityRequest,
    BatchCheckLayerAvailabilityResponse,
    Layer,
    LayerFailure,
)


@operation()
def batch_check_layer_availability(
    call: Call, request: BatchCheckLayerAvailabilityRequest
) -> BatchCheckLayerAvailabilityResponse:
    """Say of each layer whether the repository has it; what it has is kept for the push to come."""
    repository = the_repository(call, request.registry_id, request.repository_name)
    found: list[Layer] = []
    failures: list[LayerFailure] = []
    for text in request.layer_digests or ():
        if parse_digest(text) is None:
            failures.append(
                LayerFailure(
                    layer_digest=text,
                    failure_code="InvalidLayerDigest",
                    failure_reason="Invalid request parameters: the layer digest is not sound",
                )
            )
            continue
        link = layers.get(call.tx, repository, text)
        if link is not None:
            layers.renew(call.tx, link)
        found.append(
            Layer(
                layer_digest=text,
                layer_availability="UNAVAILABLE" if link is None else "AVAILABLE",
                layer_size=None if link is None else link.size,
            )
        )
    return BatchCheckLayerAvailabilityResponse(layers=found, failures=failures)
