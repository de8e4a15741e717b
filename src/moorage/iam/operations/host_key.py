"""Moorage_V1 RotateHostKey: a host asks for a new key of its own, beside the one it signs with."""

from moorage.ground.fault import AccessDenied
from moorage.ground.instant import epoch
from moorage.iam.keys import successor
from moorage.iam.store import access_keys
from moorage.kernel.call import Call
from moorage.kernel.operation import HOSTS, operation
from moorage.shapes.moorage.host import RotateHostKeyRequest, RotateHostKeyResponse


@operation(callers=HOSTS)
def rotate_host_key(call: Call, request: RotateHostKeyRequest) -> RotateHostKeyResponse:
    """Make a new key for the calling host; its own stays good until the new one is used.

    An agent that dies before it has stored the answer has lost nothing: the new key lapses, and
    the next call makes another. Raises AccessDenied for a host that has registered nothing yet.
    """
    del request  # a host can mean itself alone
    old = access_keys.get(call.tx, call.principal.access_key_id)
    if old is None or not old.instance:
        raise AccessDenied("This host has not registered yet: there is nothing that its key opens.")
    made, secret = successor(call.tx, call.vault, old)
    assert made.lapses_at is not None, "a successor lapses"
    return RotateHostKeyResponse(
        access_key_id=made.id, secret_access_key=secret, lapses_at=epoch(made.lapses_at)
    )
