"""A signing client on the server's own codecs: how agent, console and cli call the front door.

The one file of this room that opens connections (aiohttp). A call is tried again, a bounded number
of times and ever later, only where AWS's own SDKs would: no connection, a 5xx answer, throttling.
A host whose clock is wrong signs by the server's, as the `Date` of its refusal tells it.
"""

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from moorage.ground.chance import Chance, SystemChance
from moorage.ground.clock import Clock, SystemClock
from moorage.ground.fault import Fault
from moorage.ground.instant import Duration, Instant, between, later
from moorage.wire import json11
from moorage.wire.canonical import Credentials, basic_from_http_date, parse_basic_date
from moorage.wire.request import Request, Response
from moorage.wire.sigv4 import SKEW_REFUSALS, sign
from moorage.wire.trust import SYSTEM, BundleRefused, client_context, distrust

ATTEMPTS_MAX = 4
BACKOFF_SECONDS_FIRST = 0.1
BACKOFF_SECONDS_MAX = 5.0
CONNECT_SECONDS_MAX = 5.0  # with the certificates
SOCKET_SECONDS_MAX = 2.0  # a packet that was lost was sent again by then
CALL_SECONDS_MAX = 60.0
ANSWER_BYTES_MAX = 64 * 1024 * 1024
SERVER_ERROR_STATUS = 500
SUCCESS_STATUS = 200
THROTTLED_STATUS = 429
UNREACHED_STATUS = 503
THROTTLING_CODES = frozenset(
    {
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

_S = TypeVar("_S", bound=msgspec.Struct)
_TIMEOUT = aiohttp.ClientTimeout(
    total=CALL_SECONDS_MAX, connect=CONNECT_SECONDS_MAX, sock_connect=SOCKET_SECONDS_MAX
)
_PORTS = {"http": 80, "https": 443}


class RemoteFault(Fault):
    """A refusal that came back from the server: its code, status, message and request id."""

    def __init__(self, code: str, status: int, message: str, request_id: str = "") -> None:
        super().__init__(message)
        self.code = code  # type: ignore[misc]  # other faults know theirs before they are raised
        self.status = status  # type: ignore[misc]
        self.request_id = request_id

    def __str__(self) -> str:
        """The refusal as a person reads it."""
        return f"{self.code}: {self.message}"


class Unreachable(RemoteFault):
    """No answer came back: the endpoint refused, was silent, or closed too early."""

    def __init__(self, endpoint: str, reason: str) -> None:
        message = f'Could not connect to the endpoint URL: "{endpoint}" ({reason})'
        super().__init__("EndpointConnectionError", UNREACHED_STATUS, message)


class Untrusted(Unreachable):
    """Somebody answered who could not show a certificate that is trusted; nothing was said to him."""

    def __init__(self, endpoint: str, told: str) -> None:
        """Refuse with the sentence that `trust.distrust` made of it."""
        RemoteFault.__init__(self, "SSLError", UNREACHED_STATUS, told)
        self.endpoint = endpoint


class AwsClient:
    """Calls JSON services at one endpoint, in one region, with one access key or with none.

    Without credentials its calls are not signed, as a newcomer's who has only a join token.
    `endpoint` is an origin such as `http://127.0.0.1:4750`, a path prefix allowed. The session is
    the caller's to close; over https its connector has a context of `trust.client_context`, and
    `trusted` says to people who is believed then.
    """

    trusted = SYSTEM
    # A context of its own, in place of the one of the session's connector.
    context: ssl.SSLContext | bool = True

    def __init__(
        self,
        endpoint: str,
        credentials: Credentials | None,
        region: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.region = region
        self._credentials = credentials
        self._session = session
        self._clock = clock
        self._chance = chance
        self._skew = Duration(0)

    async def call(
        self,
        service: str,
        target_prefix: str,
        operation: str,
        request: msgspec.Struct,
        response_type: type[_S],
    ) -> _S:
        """Call one operation and decode its answer.

        `service` is the signing name (`ecs`), `target_prefix` what stands before the dot in
        X-Amz-Target. Raises RemoteFault for a refusal, Unreachable where no answer came, and
        Serialization for an answer that is not of `response_type`.
        """
        url = f"{self.endpoint}/"
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"{target_prefix}.{operation}",
        }
        body = json11.encode(request)
        outcome = await self._attempt(url, service, headers, body)
        for attempt in range(1, ATTEMPTS_MAX):
            if isinstance(outcome, Response) or not may_pass(outcome):
                break
            if not is_skewed(outcome):
                await asyncio.sleep(backoff_seconds(attempt, self._chance))
            outcome = await self._attempt(url, service, headers, body)
        if isinstance(outcome, Response):
            return json11.decode(outcome.body, response_type)
        raise outcome

    def signed_headers(
        self,
        method: str,
        url: str,
        service: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> dict[str, str]:
        """All headers with which to send a request that `call` cannot: a websocket, a stream.

        What is returned includes `host` and those given in `headers`, all of them signed; the
        caller adds none that begins with `x-amz-`, and sends the URL's query as it is. (aiohttp:
        `URL(url, encoded=True)`.)
        """
        request = Request(
            method=method,
            path=urlsplit(url).path or "/",
            query=urlsplit(url).query,
            headers=(("host", host_of(url)), *_lowered(headers or {})),
            body=body,
        )
        if self._credentials is None:
            return dict(request.headers)
        return signed_headers(request, self._credentials, service, self.region, self.now())

    def now(self) -> Instant:
        """The server's time, as far as it is known: ours, moved by the skew it told us."""
        return later(self._clock.now(), self._skew)

    async def _attempt(
        self, url: str, service: str, headers: Mapping[str, str], body: bytes
    ) -> Response | RemoteFault:
        signed = self.signed_headers("POST", url, service, headers, body)
        try:
            async with self._session.post(
                URL(url, encoded=True),
                headers=signed,
                data=body,
                allow_redirects=False,
                timeout=_TIMEOUT,
                ssl=self.context,
            ) as answer:
                content = await _bounded(answer.content)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return unreached(self.endpoint, error, self.trusted)
        pairs = tuple((name.lower(), value) for name, value in answer.headers.items())
        response = Response(status=answer.status, headers=pairs, body=content)
        if response.status == SUCCESS_STATUS:
            return response
        fault = remote_fault(response)
        if is_skewed(fault):
            self._heed(response.get("date") or "")
        return fault

    def _heed(self, date_header: str) -> None:
        """Sign by the server's clock from now on: it refused ours, and said what time it is."""
        date = basic_from_http_date(date_header)
        theirs = parse_basic_date(date) if date is not None else None
        if theirs is not None:
            self._skew = between(self._clock.now(), theirs)


class BlockingClient:
    """The same calls for code without an event loop; each makes a session of its own.

    `authorities` is the file of those who are believed over https; None: the system's.
    """

    def __init__(
        self,
        endpoint: str,
        credentials: Credentials | None,
        region: str,
        authorities: Path | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.credentials = credentials
        self.region = region
        self.authorities = authorities

    def call(
        self,
        service: str,
        target_prefix: str,
        operation: str,
        request: msgspec.Struct,
        response_type: type[_S],
    ) -> _S:
        """As `AwsClient.call`; not to be called where an event loop runs."""
        return asyncio.run(self._call(service, target_prefix, operation, request, response_type))

    async def _call(
        self,
        service: str,
        target_prefix: str,
        operation: str,
        request: msgspec.Struct,
        response_type: type[_S],
    ) -> _S:
        connector = connector_to(self.endpoint, self.authorities)
        async with aiohttp.ClientSession(connector=connector) as session:
            client = AwsClient(
                self.endpoint,
                self.credentials,
                self.region,
                session,
                SystemClock(),
                SystemChance(),
            )
            client.trusted = str(self.authorities or SYSTEM)
            return await client.call(service, target_prefix, operation, request, response_type)


def connector_to(endpoint: str, authorities: Path | None) -> aiohttp.TCPConnector:
    """Connections to `endpoint`; over https, `authorities` (a file; None: the system's) are believed.

    Raises Untrusted where the file cannot be used.
    """
    if urlsplit(endpoint).scheme not in {"https", "wss"}:
        return aiohttp.TCPConnector()
    try:
        bundle = None if authorities is None else authorities.read_text("ascii")
        return aiohttp.TCPConnector(ssl=client_context(bundle))
    except (OSError, UnicodeDecodeError, BundleRefused) as error:
        told = f"{authorities} cannot be used to verify {endpoint}: {error}"
        raise Untrusted(endpoint, told) from error


def unreached(endpoint: str, error: Exception, trusted: str) -> Unreachable:
    """Why no answer came: nobody was there, or somebody who is not trusted."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        wrong = error.certificate_error
        if isinstance(wrong, ssl.SSLError):
            return Untrusted(endpoint, distrust(endpoint, wrong, trusted))
    if isinstance(error, aiohttp.ClientConnectorSSLError) and isinstance(
        error.os_error, ssl.SSLError
    ):
        return Untrusted(endpoint, distrust(endpoint, error.os_error, trusted))
    return Unreachable(endpoint, str(error) or type(error).__name__)


def signed_headers(
    request: Request, credentials: Credentials, service: str, region: str, now: Instant
) -> dict[str, str]:
    """The headers of `request`, and those that sign it."""
    return dict(sign(request, credentials, service, region, now).headers)


def host_of(url: str) -> str:
    """The Host header for a URL: without user, and without the scheme's own port."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    name = f"[{name}]" if ":" in name else name
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return name if parts.port in {None, _PORTS.get(scheme)} else f"{name}:{parts.port}"


def remote_fault(response: Response) -> RemoteFault:
    """The refusal that an answer other than 200 carries; one that is no JSON still has a status."""
    request_id = response.get("x-amzn-requestid") or ""
    try:
        body = msgspec.json.decode(response.body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = {}
    code = str(body.pop("__type", response.status)).partition(":")[0].rpartition("#")[2]
    message = str(body.pop("message", body.pop("Message", "")))
    fault = RemoteFault(code, response.status, message, request_id)
    fault.members = body
    return fault


def may_pass(fault: RemoteFault) -> bool:
    """Whether the same call, made again, may succeed."""
    if isinstance(fault, Untrusted):
        return False
    return (
        fault.status >= SERVER_ERROR_STATUS
        or fault.status == THROTTLED_STATUS
        or fault.code in THROTTLING_CODES
        or is_skewed(fault)
    )


def is_skewed(fault: RemoteFault) -> bool:
    """Whether the server refused the time of the signature, and not the signature."""
    return fault.code == "InvalidSignatureException" and fault.message.startswith(SKEW_REFUSALS)


def backoff_seconds(attempt: int, chance: Chance) -> float:
    """How long to wait after try number `attempt` (from 1): full jitter, doubling, bounded."""
    return chance.uniform(0.0, min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_FIRST * 2 ** (attempt - 1)))


async def _bounded(stream: aiohttp.StreamReader) -> bytes:
    content = bytearray()
    async for chunk in stream.iter_any():
        content += chunk
        if len(content) > ANSWER_BYTES_MAX:
            message = f"The answer is longer than {ANSWER_BYTES_MAX} bytes."
            raise RemoteFault("ResponseTooLarge", SUCCESS_STATUS, message)
    return bytes(content)


def _lowered(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in headers.items())
