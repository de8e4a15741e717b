"""The way to our registry for the engine of this host: a proxy on loopback, for it alone.

Docker takes plain HTTP from 127.0.0.0/8 and from nowhere else unless its configuration is changed.
So an image of ours is pulled as `127.x.y.z:PORT/ACCOUNT/REGION/NAME@DIGEST` from this proxy, which
adds the host's own registry token and passes the bytes on; neither DNS, certificates nor a login
have to reach the engine. It reads only (GET and HEAD under /v2/), and only for who knows the
password that is made anew at each start and told to the engine with each pull: other users of the
machine cannot pull with this host's rights. Nor can they fill the agent with connections: who has
not shown the password soon is shown out, and when many wait, whoever has waited longest.
"""

import asyncio
import base64
import hashlib
import hmac
import re
import ssl
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from moorage.agent.runtime.reference import DEFAULT_TAG, Reference
from moorage.agent.tokens import NoToken, RegistryTokens
from moorage.agent.trust import Trust
from moorage.ground.chance import Chance
from moorage.ground.fault import Fault
from moorage.ground.names import ACCOUNT, REGION

USERNAME = "moorage"
PASSWORD_BYTES = 24
CONNECTIONS_MAX = 32  # to the registry; further requests wait
STALL_SECONDS_MAX = 60.0
CONNECT_SECONDS_MAX = 10.0
WRITE_SECONDS_MAX = 300.0
BUFFER_BYTES = 1 << 20
BACKLOG = 128
STRANGERS_MAX = 64  # connections on which nobody has shown the password yet
STRANGER_SECONDS_MAX = 10.0
CLOSE_SECONDS_MAX = 1.0
_PASSED_UP = ("accept", "range", "if-none-match", "if-modified-since", "user-agent")
_PASSED_DOWN = (
    "content-type",
    "content-length",
    "content-range",
    "accept-ranges",
    "docker-content-digest",
    "docker-distribution-api-version",
    "etag",
    "last-modified",
    "location",
    "retry-after",
)
Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_LOCATED = re.compile(r"([^/]+)/([^/]+)/.+")


class Door(web.Server):
    """Whoever connects is a stranger, until the password was shown on that connection."""

    stranger_seconds = STRANGER_SECONDS_MAX

    def __init__(self, serve: Serve, **options: Any) -> None:
        """Serve every request by `serve`; `options` are aiohttp's."""
        super().__init__(serve, **options)
        self._strangers: dict[web.RequestHandler, asyncio.TimerHandle] = {}

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Somebody is here; whoever has waited longest makes way where many wait."""
        super().connection_made(handler, transport)
        if len(self._strangers) >= STRANGERS_MAX:
            self._show_out(next(iter(self._strangers)))
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.stranger_seconds, self._show_out, handler)
        self._strangers[handler] = timer

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Somebody has gone."""
        self.know(handler)
        super().connection_lost(handler, exc)

    def know(self, handler: web.RequestHandler) -> None:
        """The password was shown on this connection: it may stay."""
        timer = self._strangers.pop(handler, None)
        if timer is not None:
            timer.cancel()

    def _show_out(self, handler: web.RequestHandler) -> None:
        self.know(handler)
        handler.force_close()


class RegistryProxy:
    """Serves one engine from one registry."""

    def __init__(self, upstream: str, tokens: RegistryTokens, address: str, chance: Chance) -> None:
        """Pass requests to `upstream`, an http or https origin; listen on `address`."""
        self._upstream = upstream.rstrip("/")
        self._tokens = tokens
        self._address = address
        self.password = chance.token(PASSWORD_BYTES)
        pair = base64.b64encode(f"{USERNAME}:{self.password}".encode()).decode()
        self._expected = f"Basic {pair}".encode()
        self._listener: asyncio.Server | None = None
        self._session: aiohttp.ClientSession | None = None
        self.host = ""
        self.context: ssl.SSLContext | bool = True

    def believe(self, trust: Trust) -> None:
        """Verify the registry by this, also when it changes."""
        self.context = trust.context
        trust.listen(lambda: setattr(self, "context", trust.context))

    async def start(self) -> None:
        """Listen, on a port that the kernel chooses; then `host` is `ADDRESS:PORT`.

        Raises OSError where the address cannot be had.
        """
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_SECONDS_MAX, sock_read=STALL_SECONDS_MAX
            ),
            auto_decompress=False,
            read_bufsize=BUFFER_BYTES,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._door = Door(self._serve, access_log=None)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._door, self._address, 0, backlog=BACKLOG)
        port = self._listener.sockets[0].getsockname()[1]
        self.host = f"{self._address}:{port}"

    async def aclose(self) -> None:
        """Stop listening; pulls that are under way are cut."""
        if self._listener is not None:
            self._listener.close()
            await self._door.shutdown(CLOSE_SECONDS_MAX)
        if self._session is not None:
            await self._session.close()

    def locate(self, reference: Reference, account: str, region: str) -> str:
        """What the engine is told to pull for `reference` of this `account` and `region`.

        A name that begins with an account and a region already says where it is.
        """
        match = _LOCATED.fullmatch(reference.path)
        told = match and ACCOUNT.fullmatch(match[1]) and REGION.fullmatch(match[2])
        path = reference.path if told else f"{account}/{region}/{reference.path}"
        suffix = f"@{reference.digest}" if reference.digest else f":{reference.tag or DEFAULT_TAG}"
        return f"{self.host}/{path}{suffix}"

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._expected):
            challenge = {"WWW-Authenticate": 'Basic realm="moorage host"'}
            return _refusal(401, "UNAUTHORIZED", "for this host's engine only", challenge)
        self._door.know(request.protocol)
        if request.method not in {"GET", "HEAD"} or not request.path.startswith("/v2/"):
            return _refusal(405, "UNSUPPORTED", "this proxy only reads")
        if request.path == "/v2/":
            return web.Response(headers={"Docker-Distribution-API-Version": "registry/2.0"})
        try:
            upstream = await self._ask(request)
        except (aiohttp.ClientError, OSError, NoToken, Fault) as error:
            return _refusal(502, "UNAVAILABLE", f"cannot reach the registry: {error}")
        try:
            return await self._pass_on(request, upstream)
        finally:
            upstream.close()

    async def _ask(self, request: web.BaseRequest) -> aiohttp.ClientResponse:
        """The registry's answer; a token that it no longer takes is renewed once."""
        assert self._session is not None
        url = URL(f"{self._upstream}{request.rel_url.raw_path_qs}", encoded=True)
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() in _PASSED_UP
        )
        headers["Accept-Encoding"] = "identity"
        refused = ""
        for _ in range(2):
            headers["Authorization"] = await self._tokens.authorization(refused)
            upstream = await self._session.request(
                request.method, url, headers=headers, allow_redirects=False, ssl=self.context
            )
            if upstream.status != 401 or refused:  # noqa: PLR2004 - HTTP's own number
                break
            upstream.close()
            refused = headers["Authorization"]
        return upstream

    async def _pass_on(
        self, request: web.BaseRequest, upstream: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        # The engine must not take the registry's 401 for a word on its own password.
        status = 403 if upstream.status == 401 else upstream.status  # noqa: PLR2004
        headers = {n: upstream.headers[n] for n in _PASSED_DOWN if n in upstream.headers}
        response = web.StreamResponse(status=status, headers=headers)
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        try:
            async for piece in upstream.content.iter_any():
                async with asyncio.timeout(WRITE_SECONDS_MAX):
                    await response.write(piece)
        except (aiohttp.ClientError, OSError, TimeoutError):
            # Cut short, so that the engine does not take a part for the whole.
            if request.transport is not None:
                request.transport.abort()
            return response
        await response.write_eof()
        return response


def loopback_address(name: str) -> str:
    """An address in 127.64.0.0/10 for a host: stable, and apart from those of other hosts."""
    first, second, third = hashlib.sha256(name.encode()).digest()[:3]
    return f"127.{64 + first % 64}.{second}.{1 + third % 254}"


def registry_names(endpoint: str, names: tuple[str, ...]) -> frozenset[str]:
    """All `HOST:PORT` under which images of ours are named: those that are told, and our URL's."""
    return frozenset((*names, urlsplit(endpoint).netloc.rpartition("@")[2]))


def _refusal(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    body = msgspec.json.encode({"errors": [{"code": code, "message": message}]})
    return web.Response(status=status, body=body, headers=headers, content_type="application/json")
