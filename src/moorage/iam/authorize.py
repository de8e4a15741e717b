"""The one door: whether this principal may call this operation, on what it names.

Today the answer follows from the kind of principal alone: operator and account root may do all
that people may in their account, a host only what agents do, for its own instance. Policies of
users and roles will be evaluated here, and nowhere else.
"""

from collections.abc import Sequence
from typing import Any

from moorage.ground.arn import parse_arn
from moorage.ground.fault import AccessDenied
from moorage.kernel.call import Call
from moorage.kernel.operation import Operation


def authorize(call: Call, operation: Operation[Any, Any], request: Any) -> None:
    """Return if the caller may run `operation` on `request`; raises AccessDenied with the reason."""
    principal = call.principal
    if principal.kind not in operation.callers:
        raise AccessDenied(
            f"User: {principal.arn} is not authorized to perform: {operation.name}: "
            f"it is not open to a principal of the kind {principal.kind}."
        )
    resources: Sequence[str] = operation.resource(call, request) if operation.resource else ()
    for resource in resources:
        arn = parse_arn(resource)
        if arn is not None and arn.account and arn.account != call.account:
            raise AccessDenied(
                f"User: {principal.arn} is not authorized to perform: {operation.name} "
                f"on resource: {resource}: it belongs to another account."
            )
        if principal.kind == "host" and resource != principal.instance:
            raise AccessDenied(
                f"User: {principal.arn} is not authorized to perform: {operation.name} "
                f"on resource: {resource}: a host speaks for its own container instance only."
            )
