"""Signed calls over kept connections: HTTP/1.1 with a length, and no more of it than that."""

import asyncio
from collections.abc import Mapping

from fleet.ground import Ground
from moorage.wire.canonical import Credentials
from moorage.wire.request import Request
from moorage.wire.sigv4 import sign

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
JSON = "application/x-amz-json-1.1"
# As aiohttp keeps the connections of our agent.
REST_SECONDS = 15.0
ANSWER_SECONDS_MAX = 60.0
SIGNING_NAMES = {"ecs": "AmazonEC2ContainerServiceV20141113", "moorage": "Moorage_V1"}


class Line(asyncio.Protocol):
    """One connection with at most one request under way."""

    __slots__ = ("_answer", "_got", "_transport", "rested_since")

    def __init__(self) -> None:
        """Begin without a connection."""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._got = b""
        self.rested_since = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it can be asked."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is open."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Give the answer once it is whole."""
        self._got = self._got + data if self._got else data
        head, end, body = self._got.partition(HEAD_END)
        if not end:
            return
        lowered = head.lower()
        length = int(lowered.partition(LENGTH)[2].partition(b"\r\n")[0] or 0)
        if len(body) < length or self._answer is None:
            return
        answer, self._answer, self._got = self._answer, None, b""
        if b"\r\nconnection: close" in lowered:
            self.close()
        if not answer.done():
            answer.set_result((int(head[9:12]), body[:length]))

    def connection_lost(self, _error: Exception | None) -> None:
        """Nobody answers here any more."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError("the server closed"))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """The status and body of the answer; raises OSError, TimeoutError."""
        if self._transport is None:
            raise ConnectionResetError("the server closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await self._answer
        except TimeoutError:
            self.close()
            raise

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()


class Lines:
    """One host's connections for calls; who bounds the calls bounds them."""

    __slots__ = ("_ground", "_resting")

    def __init__(self, ground: Ground) -> None:
        """Open none yet."""
        self._ground = ground
        self._resting: list[Line] = []

    async def call(
        self, service: str, operation: str, body: bytes, key: Credentials | None
    ) -> tuple[int, bytes]:
        """Call once, signed where there is a key; raises OSError, TimeoutError."""
        request = self._request(service, operation, body, key)
        self._ground.counters.calls += 1
        loop = asyncio.get_running_loop()
        line = self._resting.pop() if self._resting else None
        if line is None or not line.is_open:
            address = (self._ground.name, self._ground.port)
            _, line = await loop.create_connection(Line, *address)
        told = await line.ask(request)
        line.rested_since = loop.time()
        self._resting.append(line)
        return told

    def rest(self, now: float) -> None:
        """Close what nobody has used for a while; call it now and then."""
        if not self._resting:
            return
        for line in [one for one in self._resting if now - one.rested_since > REST_SECONDS]:
            line.close()
            self._resting.remove(line)

    def close(self) -> None:
        """Close all that rest."""
        for line in self._resting:
            line.close()
        self._resting.clear()

    def _request(self, service: str, operation: str, body: bytes, key: Credentials | None) -> bytes:
        target = f"{SIGNING_NAMES[service]}.{operation}"
        headers = {"host": self._ground.host, "content-type": JSON, "x-amz-target": target}
        return head("POST", "/", signed(self._ground, service, headers, body, key), body)


def signed(
    ground: Ground,
    service: str,
    headers: Mapping[str, str],
    body: bytes,
    key: Credentials | None,
    at: tuple[str, str, str] = ("POST", "/", ""),
) -> Mapping[str, str]:
    """All headers of a request for `at` (method, path, query), with those that sign it."""
    if key is None:
        return headers
    method, path, query = at
    request = Request(
        method=method, path=path, query=query, headers=tuple(headers.items()), body=body
    )
    return dict(sign(request, key, service, ground.region, ground.clock.now()).headers)


def head(method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request as it goes out."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    length = f"content-length: {len(body)}\r\n" if body else ""
    return f"{method} {target} HTTP/1.1\r\n{lines}{length}\r\n".encode("latin-1") + body
