"""Moorage_V1 RequestHostKeyRotation: a person wants a host to change its key."""

from moorage.acs.messages import CAPABILITY_OF_OUR_AGENT
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.store import clusters, container_instances
from moorage.ground.fault import Validation
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.moorage.host import (
    RequestHostKeyRotationRequest,
    RequestHostKeyRotationResponse,
)


@operation()
def request_host_key_rotation(
    call: Call, request: RequestHostKeyRotationRequest
) -> RequestHostKeyRotationResponse:
    """Have a host ask for a new key: at once where it is connected, else when it is back."""
    instance = _host(call, request)
    if instance.attribute(CAPABILITY_OF_OUR_AGENT) is None:
        raise Validation(
            f"The agent of {instance.name or instance.id} is not Moorage's own: give it another "
            "key by its own means."
        )
    container_instances.write(call.tx, evolve(instance, key_rotation_asked_at=call.now))
    return RequestHostKeyRotationResponse(
        container_instance_arn=instance.arn, connected=instance.connected
    )


def _host(call: Call, request: RequestHostKeyRotationRequest) -> ContainerInstance:
    cluster = clusters.active(call.tx, call, request.cluster)
    text = request.host or ""
    found = container_instances.of_name(call.tx, cluster.arn, text) or container_instances.find(
        call.tx, call, text, cluster.name
    )
    if found is None or found.status == "INACTIVE":
        raise Validation(f"The cluster {cluster.name} has no host {text}.")
    return found
