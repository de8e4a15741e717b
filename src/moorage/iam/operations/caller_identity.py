"""sts:GetCallerIdentity: who the caller is."""

from moorage.kernel.call import Call
from moorage.kernel.operation import ANYONE, operation
from moorage.shapes.sts.caller_identity import (
    GetCallerIdentityRequest,
    GetCallerIdentityResponse,
)


@operation(reads=True, callers=ANYONE)
def get_caller_identity(call: Call, request: GetCallerIdentityRequest) -> GetCallerIdentityResponse:
    """Answer the caller's account, ARN and unique id; needs no permission."""
    del request  # it has no members
    principal = call.principal
    return GetCallerIdentityResponse(
        account=principal.account,
        arn=principal.arn,
        user_id=principal.access_key_id if principal.kind == "host" else principal.account,
    )
