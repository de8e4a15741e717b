"""The registry token of this host: asked for with the host's key, kept until shortly before it ends.

ECR GetAuthorizationToken answers the base64 of `AWS:TOKEN`, which is what HTTP Basic wants.
"""

import asyncio
from collections.abc import Awaitable, Callable

from moorage.ground.clock import Clock
from moorage.ground.instant import Duration, Instant, earlier, from_epoch, later, minutes, seconds
from moorage.ground.record import Record
from moorage.shapes.ecr.authorization import GetAuthorizationTokenResponse

RENEW_BEFORE: Duration = minutes(30)
# A token that lives shorter than the margin is used for this long at a time.
LIFE_MIN: Duration = seconds(30)

Ask = Callable[[], Awaitable[GetAuthorizationTokenResponse]]


class NoToken(Exception):  # noqa: N818 - shown as the reason why an image cannot be had
    """The server gave no token."""


class _Held(Record):
    authorization: str
    until: Instant


class RegistryTokens:
    """Hands out the header by which the registry knows this host."""

    def __init__(self, ask: Ask, clock: Clock) -> None:
        """Ask for a token by `ask` when one is needed."""
        self._ask = ask
        self._clock = clock
        self._held: _Held | None = None
        self._one_at_a_time = asyncio.Lock()

    async def authorization(self, refused: str = "") -> str:
        """The value of `Authorization`; `refused` is one that the registry did not take.

        Raises NoToken, and whatever asking raises.
        """
        async with self._one_at_a_time:
            held, now = self._held, self._clock.now()
            if held is None or held.until <= now or held.authorization == refused:
                held = self._held = await self._renewed(now)
            return held.authorization

    async def _renewed(self, now: Instant) -> _Held:
        answer = await self._ask()
        entry = next(iter(answer.authorization_data or ()), None)
        if entry is None or not entry.authorization_token:
            raise NoToken("the server answered without a registry token")
        until = later(now, LIFE_MIN)
        if entry.expires_at is not None:
            until = Instant(max(until, earlier(from_epoch(entry.expires_at), RENEW_BEFORE)))
        return _Held(authorization=f"Basic {entry.authorization_token}", until=until)
