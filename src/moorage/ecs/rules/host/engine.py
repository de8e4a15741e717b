"""What an agent says of its container engine: CONTAINER_RUNTIME of PublishInstanceStatus."""

from moorage.acs.telemetry import PublishInstanceStatusRequest

CONTAINER_RUNTIME = "ContainerRuntime"
_GONE = {"IMPAIRED": True, "OK": False}


def engine_gone(message: PublishInstanceStatusRequest) -> bool | None:
    """Whether the engine is gone; None where the agent does not say."""
    said = None
    for one in message.statuses or ():
        if one.type == CONTAINER_RUNTIME:
            said = _GONE.get(one.status or "", said)
    return said
