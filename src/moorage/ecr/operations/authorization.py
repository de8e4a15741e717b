"""GetAuthorizationToken: the password that docker logs in with."""

from moorage.ecr.records.login import Login
from moorage.ecr.rules.credentials import encode_credentials, password_hash
from moorage.ecr.store import logins
from moorage.ground.instant import epoch, hours, later
from moorage.kernel.call import Call
from moorage.kernel.operation import ANYONE, operation
from moorage.shapes.ecr.authorization import (
    AuthorizationData,
    GetAuthorizationTokenRequest,
    GetAuthorizationTokenResponse,
)
from moorage.shapes.ecr.faults import InvalidParameterException

TOKEN_VALID = hours(12)
TOKEN_BYTES = 48


@operation(callers=ANYONE)
def get_authorization_token(
    call: Call, request: GetAuthorizationTokenRequest
) -> GetAuthorizationTokenResponse:
    """Make a token that opens the caller's registry for twelve hours; a host's only pulls."""
    for registry in request.registry_ids or ():
        if registry != call.account:
            raise InvalidParameterException(
                f"The registry with id '{registry}' is not the caller's own, '{call.account}'."
            )
    password = call.chance.token(TOKEN_BYTES)
    expires_at = later(call.now, TOKEN_VALID)
    logins.create(
        call.tx,
        Login(
            hash=password_hash(password),
            account=call.account,
            region=call.region,
            principal=call.principal,
            expires_at=expires_at,
        ),
    )
    return GetAuthorizationTokenResponse(
        authorization_data=[
            AuthorizationData(
                authorization_token=encode_credentials(password),
                expires_at=epoch(expires_at),
                proxy_endpoint=call.site.endpoint,
            )
        ]
    )
