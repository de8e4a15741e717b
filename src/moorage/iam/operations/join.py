"""Moorage_V1 CreateJoinToken and Join: how a host becomes known.

The token is shown once and kept as a hash; it is spent by a host that has shown nothing else yet,
and buys a key of that host's own, bound to the token's account, region and cluster.
"""

import hashlib

from moorage.ground.fault import AccessDenied, Validation
from moorage.ground.instant import epoch, later, seconds
from moorage.ground.names import RESOURCE_NAME
from moorage.iam.keys import Holder, issue
from moorage.iam.records.join_token import JoinToken
from moorage.iam.store import join_tokens
from moorage.kernel.call import Call
from moorage.kernel.operation import NEWCOMERS, PEOPLE, operation
from moorage.shapes.moorage.host import (
    CreateJoinTokenRequest,
    CreateJoinTokenResponse,
    JoinRequest,
    JoinResponse,
)

TOKEN_BYTES = 32
TTL_SECONDS = 3600
TTL_SECONDS_MAX = 30 * 24 * 3600
USES_MAX = 10_000
HOST_NAME_LENGTH_MAX = 64


@operation(callers=PEOPLE)
def create_join_token(call: Call, request: CreateJoinTokenRequest) -> CreateJoinTokenResponse:
    """Make a token with which hosts may join a cluster: one use, for one hour by default."""
    cluster = request.cluster or "default"
    uses = 1 if request.uses is None else request.uses
    ttl_seconds = TTL_SECONDS if request.ttl_seconds is None else request.ttl_seconds
    if not RESOURCE_NAME.fullmatch(cluster):
        raise Validation(f"'{cluster}' is no name of a cluster.")
    if not 1 <= uses <= USES_MAX:
        raise Validation(f"uses must be between 1 and {USES_MAX}.")
    if not 1 <= ttl_seconds <= TTL_SECONDS_MAX:
        raise Validation(f"ttlSeconds must be between 1 and {TTL_SECONDS_MAX}.")
    secret = call.chance.token(TOKEN_BYTES)
    expires_at = later(call.now, seconds(ttl_seconds))
    join_tokens.create(
        call.tx,
        JoinToken(
            hash=_hash(secret),
            account=call.account,
            region=call.region,
            cluster=cluster,
            uses_left=uses,
            created_at=call.now,
            expires_at=expires_at,
        ),
    )
    return CreateJoinTokenResponse(token=secret, expires_at=epoch(expires_at), cluster=cluster)


@operation(callers=NEWCOMERS)
def join(call: Call, request: JoinRequest) -> JoinResponse:
    """Spend one use of a token and answer the new host's own key; raises AccessDenied."""
    name = request.name or ""
    if not name or len(name) > HOST_NAME_LENGTH_MAX or not RESOURCE_NAME.fullmatch(name):
        raise Validation(
            "name must be made of letters, digits, hyphens and underscores, "
            f"at most {HOST_NAME_LENGTH_MAX}."
        )
    token = join_tokens.spend(call.tx, _hash(request.token or ""))
    if token is None:
        raise AccessDenied(
            "The join token is unknown, expired or used up; make a new one with: moorage host token"
        )
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
    return JoinResponse(
        access_key_id=key.id,
        secret_access_key=secret,
        account_id=token.account,
        region=token.region,
        cluster=token.cluster,
        names=list(call.site.names),
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
