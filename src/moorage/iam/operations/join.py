"""Moorage_V1 CreateJoinToken: the right of hosts to join; shown once and kept as a hash.

It is spent by the operation Join, of the cluster's house, which knows the hosts that are there.
"""

from moorage.ground.fault import Validation
from moorage.ground.instant import epoch, later, seconds
from moorage.ground.names import RESOURCE_NAME
from moorage.iam.store import join_tokens
from moorage.iam.tokens import Grant, mint
from moorage.kernel.call import Call
from moorage.kernel.operation import PEOPLE, operation
from moorage.shapes.moorage.host import CreateJoinTokenRequest, CreateJoinTokenResponse

TTL_SECONDS = 3600
TTL_SECONDS_MAX = 30 * 24 * 3600
USES_MAX = 10_000


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
    expires_at = later(call.now, seconds(ttl_seconds))
    token = mint(
        call.tx,
        Grant(
            account=call.account,
            region=call.region,
            cluster=cluster,
            uses=uses,
            expires_at=expires_at,
        ),
    )
    if token is None:
        raise Validation(
            f"This account has {join_tokens.OF_ACCOUNT_MAX} join tokens that are good still. Wait "
            "until some have expired, or let one token admit many hosts: moorage host token --uses"
        )
    return CreateJoinTokenResponse(token=token, expires_at=epoch(expires_at), cluster=cluster)
