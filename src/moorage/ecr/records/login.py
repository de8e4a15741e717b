"""A login token: what `docker login` shows, kept as a hash."""

from moorage.ground.instant import Instant
from moorage.ground.principal import Principal
from moorage.ground.record import Record


class Login(Record):
    """One token of GetAuthorizationToken: whose it is, and which registry names mean with it."""

    hash: str
    account: str
    region: str
    principal: Principal
    expires_at: Instant

    @property
    def access_key_id(self) -> str:
        """The key that it was asked for with."""
        return self.principal.access_key_id
