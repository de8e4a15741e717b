"""Who is asking: HTTP Basic credentials to the login of a token.

A docker client shows its token with each request, so known ones are kept in memory for a few
seconds; then the tables are asked again, so that a key that is revoked ends its tokens too.
"""

from moorage.ecr.distribution.errors import Refused
from moorage.ecr.distribution.exchange import Desk
from moorage.ecr.operations import pull
from moorage.ecr.records.login import Login
from moorage.ecr.rules.credentials import password_hash, password_of
from moorage.ground.clock import Clock
from moorage.ground.instant import Moment, seconds
from moorage.ground.principal import Principal
from moorage.ground.record import Record
from moorage.kernel.site import Site

LOGINS_KEPT_MAX = 1024
LOGIN_TRUSTED = seconds(5)
_NOBODY = Principal(kind="anonymous", account="")


class RegistryCaller(Record):
    """Whose registry is meant, on behalf of whom; see exchange.Caller."""

    principal: Principal
    account: str
    region: str


class Logins:
    """The tokens that were shown lately."""

    def __init__(self, desk: Desk, clock: Clock, site: Site) -> None:
        """Begin with none."""
        self._desk = desk
        self._clock = clock
        self._site = site
        self._kept: dict[str, tuple[Login, Moment]] = {}

    async def who(self, authorization: str | None) -> Login:
        """The login that an Authorization header shows; raises Refused (401)."""
        password = password_of(authorization or "")
        if password is None:
            raise self._unauthorized("log in with: aws ecr get-login-password | docker login")
        shown = password_hash(password)
        login, trusted_until = self._kept.get(shown, (None, Moment(0)))
        if login is None or trusted_until <= self._clock.monotonic() or self._is_over(login):
            self._kept.pop(shown, None)
            login = await self._load(shown)
        if login is None:
            raise self._unauthorized(
                "Your authorization token is unknown or has expired. Reauthenticate and try again."
            )
        return login

    async def _load(self, shown: str) -> Login | None:
        nobody = RegistryCaller(principal=_NOBODY, account="", region="")
        login = await self._desk.read(nobody, lambda call: pull.find_login(call, shown))
        if login is not None:
            while len(self._kept) >= LOGINS_KEPT_MAX:
                del self._kept[next(iter(self._kept))]
            self._kept[shown] = (login, Moment(self._clock.monotonic() + LOGIN_TRUSTED))
        return login

    def _is_over(self, login: Login) -> bool:
        return login.expires_at <= self._clock.now()

    def _unauthorized(self, message: str) -> Refused:
        realm = f'Basic realm="{self._site.endpoint}/",service="ecr.amazonaws.com"'
        return Refused("UNAUTHORIZED", message, headers={"www-authenticate": realm})
