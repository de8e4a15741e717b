"""The one door: whether this principal may call this operation, on what it names.

Today the answer follows from the kind of principal alone: operator and account root may do all
that people may in their account, a host only what agents do, for its own instance, in the region
that it joined. Policies of users and roles will be evaluated here, and nowhere else. A refusal
tells a host nothing of others: not even on which of them the task runs that it asked about.
"""

from collections.abc import Sequence
from typing import Any

from moorage.ground.arn import parse_arn
from moorage.ground.fault import AccessDenied, ReplacedKey
from moorage.kernel.call import Call
from moorage.kernel.operation import Operation

REPLACED_KEY = (
    "This key was replaced by a newer one of the same host: another agent has taken its place, or "
    "its data folder was copied or restored from a backup. To make this machine a host again, empty "
    "its data folder and join with a new token (moorage host token), under a name of its own."
)


def authorize(call: Call, operation: Operation[Any, Any], request: Any) -> None:
    """Return if the caller may run `operation` on `request`; raises AccessDenied with the reason."""
    principal = call.principal
    if principal.replaced:
        raise ReplacedKey(REPLACED_KEY)
    if principal.kind not in operation.callers:
        raise AccessDenied(
            f"User: {principal.arn} is not authorized to perform: {operation.name}: "
            f"it is not open to a principal of the kind {principal.kind}."
        )
    resources: Sequence[str] = operation.resource(call, request) if operation.resource else ()
    if principal.kind == "host":
        reason = _host_refusal(call, operation, resources)
        if reason is not None:
            raise AccessDenied(
                f"User: {principal.arn} is not authorized to perform: {operation.name}: {reason}."
            )
        return
    for resource in resources:
        arn = parse_arn(resource)
        if arn is not None and arn.account and arn.account != call.account:
            raise AccessDenied(
                f"User: {principal.arn} is not authorized to perform: {operation.name} "
                f"on resource: {resource}: it belongs to another account."
            )


def _host_refusal(
    call: Call, operation: Operation[Any, Any], resources: Sequence[str]
) -> str | None:
    """Why a host may not do this, or None.

    One that was deregistered may still call what names its instance, and is told there that it is
    gone; it reads nothing any more.
    """
    host = call.principal
    own = parse_arn(host.instance)
    if any(resource != host.instance for resource in resources) or (
        own is not None and own.account != call.account
    ):
        return "a host speaks for its own container instance only"
    if host.region and host.region != call.region:
        return f"this host joined in the region {host.region}"
    if host.retired and operation.resource is None:
        return "this host was deregistered; join again with a new token"
    return None
