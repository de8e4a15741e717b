"""UpdateContainerAgent: agents come with a host's package here, so this server has none to send."""

from moorage.acs.messages import CAPABILITY_OF_OUR_AGENT
from moorage.ecs.store import clusters, container_instances
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs.container_instance import (
    UpdateContainerAgentRequest,
    UpdateContainerAgentResponse,
)
from moorage.shapes.ecs.faults import (
    ClientException,
    InvalidParameterException,
    MissingVersionException,
    NoUpdateAvailableException,
)

NO_UPDATE = "There is no update available for your container agent."
OUR_WAY = (
    "The agent of Moorage is upgraded with its package: upgrade that on the host {host} and restart "
    "the unit moorage-agent, its tasks run on (docs/how-to/upgrade.md)."
)
AMAZONS_WAY = "Amazon's agent on the host {host} is upgraded there, with the package ecs-init."


@operation()
def update_container_agent(
    call: Call, request: UpdateContainerAgentRequest
) -> UpdateContainerAgentResponse:
    """Say that there is no update to send, and how this host's agent is upgraded.

    Raises NoUpdateAvailableException for a connected host of the cluster, and ECS's faults for one
    that is not there, not connected, or has not said its version. It never answers.
    """
    cluster = clusters.active(call.tx, call, request.cluster)
    text = request.container_instance or ""
    instance = container_instances.find(call.tx, call, text, cluster.name)
    if instance is None or instance.status == "INACTIVE":
        raise InvalidParameterException("The referenced container instance was not found.")
    if not instance.connected:
        raise ClientException(
            f"The agent of the container instance {instance.arn} is not connected. "
            "Connect it and try again."
        )
    if not instance.agent_version:
        raise MissingVersionException(
            "The current version of the agent on the container instance is not known."
        )
    ours = instance.attribute(CAPABILITY_OF_OUR_AGENT) is not None
    way = (OUR_WAY if ours else AMAZONS_WAY).format(host=instance.name or instance.arn)
    raise NoUpdateAvailableException(f"{NO_UPDATE} {way}")
