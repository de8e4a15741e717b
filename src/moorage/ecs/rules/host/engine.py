"""What an agent says of its container engine: CONTAINER_RUNTIME of PublishInstanceStatus.

Not every impairment is a loss: a container that cannot be killed, or a data folder that is full,
keeps new tasks away (`rules/placement/constraint.py`), while the engine answers and what runs there
runs on.
"""

from moorage.acs.telemetry import (
    CONTAINER_STUCK,
    RECORDS_UNWRITABLE,
    InstanceStatus,
    PublishInstanceStatusRequest,
)

CONTAINER_RUNTIME = "ContainerRuntime"
_GONE = {"IMPAIRED": True, "OK": False}
_ENGINE_ANSWERS = (CONTAINER_STUCK, RECORDS_UNWRITABLE)


def engine_gone(message: PublishInstanceStatusRequest) -> bool | None:
    """Whether the engine is gone; None where the agent does not say."""
    said = None
    for one in message.statuses or ():
        if one.type == CONTAINER_RUNTIME:
            said = _gone(one, said)
    return said


def gist_of(message: PublishInstanceStatusRequest) -> tuple[object, ...]:
    """What of it is ever kept: two with the same gist, one after the other, change nothing."""
    return tuple((one.type, one.status, one.status_reason) for one in message.statuses or ())


def _gone(status: InstanceStatus, said: bool | None) -> bool | None:  # noqa: FBT001 - a verdict
    if (status.status_reason or "").startswith(_ENGINE_ANSWERS):
        return False
    return _GONE.get(status.status or "", said)
