"""Moorage_V1 Join: a machine becomes a host, or the host again that it was.

A token is spent by a machine that has shown nothing else yet, and buys a key of that host's own,
bound to the token's account, region and cluster. A machine that lost what it knew, and whose
engine says which instance it was, gets a key for that very instance; older keys open nothing then.
Where it may not join, nothing is spent.
"""

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.rules.joining import Newcomer, Unwelcome, welcome
from moorage.ecs.store import container_instances, machines
from moorage.ground.arn import make_arn
from moorage.ground.fault import AccessDenied, Validation
from moorage.ground.names import RESOURCE_NAME
from moorage.iam.keys import Holder, bind, issue
from moorage.iam.records.join_token import JoinToken
from moorage.iam.store import join_tokens
from moorage.kernel.call import Call
from moorage.kernel.operation import NEWCOMERS, operation
from moorage.shapes.moorage.host import JoinRequest, JoinResponse

HOST_NAME_LENGTH_MAX = 64


@operation(callers=NEWCOMERS)
def join(call: Call, request: JoinRequest) -> JoinResponse:
    """Spend one use of a token and answer the host's own key; raises AccessDenied, Validation."""
    name = request.name or ""
    if not name or len(name) > HOST_NAME_LENGTH_MAX or not RESOURCE_NAME.fullmatch(name):
        raise Validation(
            "name must be made of letters, digits, hyphens and underscores, "
            f"at most {HOST_NAME_LENGTH_MAX}."
        )
    token = join_tokens.spend(call.tx, join_tokens.hash_of(request.token or ""))
    if token is None:
        raise AccessDenied(
            "The join token is unknown, expired or used up; make a new one with: moorage host token"
        )
    _refuse_reserved(call, token, name)
    instance = _recognised(call, token, name, request.previous_instance or "")
    key, secret = issue(
        call.tx,
        call.vault,
        Holder(
            account=token.account,
            kind="host",
            name=name,
            region=token.region,
            cluster=token.cluster,
        ),
    )
    if instance is not None:
        bind(call.tx, key.id, instance.arn)
    return JoinResponse(
        access_key_id=key.id,
        secret_access_key=secret,
        account_id=token.account,
        region=token.region,
        cluster=token.cluster,
        names=list(call.site.names),
    )


def _refuse_reserved(call: Call, token: JoinToken, name: str) -> None:
    """The name of a pool's machine is that machine's alone, and so is its token."""
    cluster = make_arn("cluster", token.region, token.account, token.cluster)
    if token.name and token.name != name:
        raise Validation(
            f"The join token is good for the host {token.name} alone. Join with --name "
            f"{token.name}, or make another token: moorage host token"
        )
    if not token.name and machines.of_name(call.tx, cluster, name) is not None:
        raise Validation(
            f"The name {name} belongs to a machine of a pool of the cluster {token.cluster}. Join "
            "with another name (moorage agent --name)."
        )


def _recognised(call: Call, token: JoinToken, name: str, previous: str) -> ContainerInstance | None:
    """The host that this one was, or None; raises Validation, which also gives the token back."""
    cluster = make_arn("cluster", token.region, token.account, token.cluster)
    verdict = welcome(
        Newcomer(
            account=token.account,
            region=token.region,
            cluster=token.cluster,
            name=name,
            previous=previous,
        ),
        container_instances.get(call.tx, previous) if previous else None,
        container_instances.of_name(call.tx, cluster, name),
    )
    if isinstance(verdict, Unwelcome):
        raise Validation(verdict.reason)
    return verdict.instance
