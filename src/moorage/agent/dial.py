"""Opening the agent's websockets: where they are, how the handshake is signed, what a refusal says."""

from collections.abc import Callable
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import aiohttp
from yarl import URL

from moorage.acs.codec import FRAME_BYTES_MAX, REFUSAL_BYTES_MAX, Refusal, decode_refusal
from moorage.agent.control import ControlPlane
from moorage.ground.fault import Fault
from moorage.ground.record import Record
from moorage.wire.client import Unreachable, Untrusted

DIAL_SECONDS_MAX = 30.0
CLOSE_SECONDS_MAX = 2.0
# A first packet that is lost is sent again after one second; after two it is worth a new dial.
CONNECT_SECONDS_MAX = 2.0
_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


class NotOpened(Exception):  # noqa: N818 - turned into a fact of the session
    """No connection came about."""

    def __init__(
        self, reason: str, refusal: Refusal | None = None, *, unreached: bool = False
    ) -> None:
        """Keep the server's word, if it said one, and whether anybody answered at all."""
        super().__init__(reason)
        self.refusal = refusal
        self.unreached = unreached


class Opened(Record):
    """A websocket, and the URL it was opened at (its frames on TCS are signed for it)."""

    socket: aiohttp.ClientWebSocketResponse
    url: str


class Dialler:
    """Opens the websockets of one host."""

    def __init__(
        self,
        control: ControlPlane,
        container_instance_arn: str,
        session: Callable[[aiohttp.TraceConfig], aiohttp.ClientSession] | None = None,
    ) -> None:
        """Ask `control` where they are; dial by the `session` that heeds such tracing."""
        self._control = control
        self._instance = container_instance_arn
        self._refused_body = b""
        # Where the server says that they are: asked once, and again when that was no good. After a
        # restart of the server thousands of hosts would else ask before each of their dials.
        self._endpoints: tuple[str, str] | None = None
        tracing = aiohttp.TraceConfig()
        tracing.on_request_end.append(self._keep_refusal)
        self._session = (session or _session)(tracing)

    async def aclose(self) -> None:
        """Close all that is open."""
        await self._session.close()

    async def open_acs(self, docker_version: str, *, first: bool, timeline: int) -> Opened:
        """The websocket for commands; `first` until this process has been connected once.

        `timeline` is the highest number under which anything was ever sent here: a server that
        counts from less was restored from a backup. Raises NotOpened.
        """
        endpoints = await self._discover()
        query = {
            "agentHash": "moorage",
            "agentVersion": "1.0.0",
            "clusterArn": self._control.cluster,
            "containerInstanceArn": self._instance,
            "dockerVersion": f"DockerVersion: {docker_version}",
            "protocolVersion": "2",
            "sendCredentials": "true" if first else "false",
            "seqNum": "1",
            "timeline": str(timeline),
            # Which process of this host's agent this is; also ours, and ignored by other servers.
            "clientToken": self._control.client_token,
        }
        return await self._open(endpoints[0], query)

    async def open_tcs(self, docker_version: str) -> Opened:
        """The websocket for telemetry. Raises NotOpened."""
        endpoints = await self._discover()
        query = {
            "agentHash": "moorage",
            "agentVersion": "1.0.0",
            "cluster": self._control.cluster,
            "containerInstance": self._instance,
            "dockerVersion": docker_version,
        }
        return await self._open(endpoints[1], query)

    async def _discover(self) -> tuple[str, str]:
        if self._endpoints is not None:
            return self._endpoints
        try:
            found = await self._control.discover(self._instance)
        except Fault as fault:
            refusal = Refusal(name=fault.code, text=fault.message)
            gone = isinstance(fault, Unreachable) and not isinstance(fault, Untrusted)
            reason = f"DiscoverPollEndpoint: {fault}"
            raise NotOpened(reason, refusal, unreached=gone) from fault
        endpoint = found.endpoint or self._control.endpoint
        self._endpoints = (endpoint, found.telemetry_endpoint or endpoint)
        return self._endpoints

    async def _open(self, endpoint: str, query: dict[str, str]) -> Opened:
        """Open at the address that the server names, else at the one by which it was reached."""
        reason, refusal, unreached = "", None, False
        places = places_of(endpoint, self._control.endpoint)
        for place in places:
            url = websocket_url(place, query)
            self._refused_body = b""
            try:
                socket = await self._session.ws_connect(
                    URL(url, encoded=True),
                    headers=self._control.client.signed_headers("GET", url, "ecs"),
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS_MAX),
                    max_msg_size=FRAME_BYTES_MAX,
                    ssl=self._control.context,
                )
            except aiohttp.WSServerHandshakeError as error:
                refusal = decode_refusal(self._refused_body)
                said = f": {refusal.name} {refusal.text}" if refusal else ""
                self._endpoints = None
                raise NotOpened(f"HTTP {error.status}{said}", refusal) from error
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                reason = f"{place}: {str(error) or type(error).__name__}"
                unreached = not isinstance(error, aiohttp.ClientSSLError)
            else:
                return Opened(socket=socket, url=url)
        if len(places) > 1 or not unreached:
            self._endpoints = None
        raise NotOpened(reason, unreached=unreached)

    async def _keep_refusal(
        self, session: aiohttp.ClientSession, context: object, end: aiohttp.TraceRequestEndParams
    ) -> None:
        """Read what a refused handshake says, before the library throws it away."""
        del session, context
        if end.response.status != 101:  # noqa: PLR2004 - Switching Protocols
            self._refused_body = await end.response.content.read(REFUSAL_BYTES_MAX)


def _session(tracing: aiohttp.TraceConfig) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        trace_configs=[tracing],
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=DIAL_SECONDS_MAX, sock_connect=CONNECT_SECONDS_MAX),
    )


def places_of(told: str, own: str) -> tuple[str, ...]:
    """Where to dial: where the server says, else where it is called by this host.

    A name of the server need not be known here. Who calls it over TLS never leaves TLS: a server
    behind something that ends TLS for it names itself without.
    """
    named, called = urlsplit(told), urlsplit(own)
    here = urlunsplit((called.scheme, called.netloc, named.path, "", ""))
    if called.scheme == "https" and named.scheme not in {"https", "wss"}:
        return (here,)
    return (told,) if named.netloc == called.netloc else (told, here)


def websocket_url(endpoint: str, query: dict[str, str]) -> str:
    """`ENDPOINT/ws?QUERY` with the scheme of websockets; a path prefix is kept."""
    parts = urlsplit(endpoint)
    scheme = _SCHEMES.get(parts.scheme, "ws")
    path = f"{parts.path.rstrip('/')}/ws"
    return urlunsplit((scheme, parts.netloc, path, urlencode(query, quote_via=quote), ""))
