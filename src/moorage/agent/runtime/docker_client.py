"""A thin HTTP client for Docker Engine's socket: versions, bounds, errors; knows no resource.

The version is negotiated, never pinned: engines from 20.10 (API 1.41) on are served, at the highest
version that both sides know and the engine still accepts (Docker Engine API, "Versioned API").
"""

import asyncio
import errno
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from moorage.agent.runtime.deadlines import CALL_SECONDS
from moorage.agent.runtime.port import EngineUnavailable
from moorage.ground.record import Record

API_LOWEST = (1, 41)
API_HIGHEST = (1, 56)

CONNECT_SECONDS = 5.0
CONNECTIONS_MAX = 256
ANSWER_BYTES_MAX = 64 << 20
LINE_BYTES_MAX = 1 << 20
READ_BUFFER_BYTES = 1 << 17

# This process or its machine has no room for one more connection: nothing is said of the engine.
_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS))

# What a stopping engine, or one that lost containerd, says of calls that were under way.
_ENGINE_TROUBLE = (
    "context canceled",
    "transport is closing",
    "connection is closing",
    "containerd.sock",
    "connection error: desc",
    "daemon is shutting down",
    "failed to update store for object type",
)


class Refused(Exception):  # noqa: N818 - turned into a RuntimeFailure by the caller, never shown
    """An answer above 399: status and the engine's message."""

    def __init__(self, status: int, reason: str) -> None:
        """Keep both."""
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason


class Answer(Record):
    """A whole answer."""

    status: int
    content: bytes


class _Refusal(msgspec.Struct):
    message: str = ""


class _Version(msgspec.Struct, rename="pascal"):
    api_version: str = msgspec.field(default="", name="ApiVersion")
    min_api_version: str = msgspec.field(default="", name="MinAPIVersion")


class EngineClient:
    """Calls on one engine's socket; many may be under way at once."""

    def __init__(self, socket: str) -> None:
        """Talk to the engine that listens at the path `socket`; connects when first used."""
        self.socket = socket
        self.closed = False
        self._session: aiohttp.ClientSession | None = None
        self._api_version = ""

    async def aclose(self) -> None:
        """End all connections; streams that are being read end with EngineUnavailable."""
        self.closed = True
        if self._session is not None:
            await self._session.close()

    async def api_version(self) -> str:
        """The version that calls are made at, agreed on at the first call.

        Raises EngineUnavailable where no version is known to both.
        """
        if not self._api_version:
            answer = await self._bounded("GET", "/version", {}, None, CALL_SECONDS)
            try:
                told = msgspec.json.decode(answer.content, type=_Version)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise EngineUnavailable(f"{self.socket} is no engine: {error}") from error
            self._api_version = negotiate(told.api_version, told.min_api_version)
        return self._api_version

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        seconds: float = CALL_SECONDS,
    ) -> Answer:
        """One call, whole answer, at the agreed version. Raises Refused, EngineUnavailable."""
        version = await self.api_version()
        return await self._bounded(method, f"/v{version}{path}", query or {}, body, seconds)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        seconds: float = CALL_SECONDS,
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """One call whose answer is read as it comes; `seconds` bounds the wait for its beginning.

        Raises Refused, EngineUnavailable.
        """
        version = await self.api_version()
        url = f"http://engine/v{version}{path}"
        try:
            async with asyncio.timeout(seconds):
                response = await self._open().request(method, url, params=query, headers=headers)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unavailable(error) from error
        try:
            await self._check(response)
            yield response.content
        except (aiohttp.ClientError, OSError) as error:
            raise self._unavailable(error) from error
        finally:
            response.close()

    async def ping(self, seconds: float) -> None:
        """Ask over a connection of its own whether the engine is there. Raises EngineUnavailable."""
        try:
            async with (
                asyncio.timeout(seconds),
                aiohttp.ClientSession(
                    connector=aiohttp.UnixConnector(path=self.socket, force_close=True),
                    timeout=aiohttp.ClientTimeout(total=None),
                    cookie_jar=aiohttp.DummyCookieJar(),
                ) as session,
                session.get("http://engine/_ping") as response,
            ):
                await response.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unavailable(error) from error
        if response.status >= 400:  # noqa: PLR2004 - HTTP's own border
            raise EngineUnavailable(f"the engine answers a ping with {response.status}")

    async def _bounded(
        self, method: str, path: str, query: Mapping[str, str], body: object, seconds: float
    ) -> Answer:
        content = None if body is None else msgspec.json.encode(body)
        headers = {} if content is None else {"Content-Type": "application/json"}
        try:
            async with (
                asyncio.timeout(seconds),
                self._open().request(
                    method, f"http://engine{path}", params=query, data=content, headers=headers
                ) as response,
            ):
                await self._check(response)
                return Answer(status=response.status, content=await _whole(response.content))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._unavailable(error) from error

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status < 400:  # noqa: PLR2004 - HTTP's own border
            return
        content = await _whole(response.content)
        try:
            reason = msgspec.json.decode(content, type=_Refusal).message
        except (msgspec.DecodeError, UnicodeDecodeError):
            reason = content.decode("utf-8", "replace").strip()
        if response.status == 503 or any(text in reason for text in _ENGINE_TROUBLE):  # noqa: PLR2004
            raise EngineUnavailable(reason or "the engine is not ready")
        raise Refused(response.status, reason)

    def _open(self) -> aiohttp.ClientSession:
        if self.closed:
            raise EngineUnavailable("this client is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(path=self.socket, limit=CONNECTIONS_MAX),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                read_bufsize=READ_BUFFER_BYTES,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _unavailable(self, error: BaseException) -> EngineUnavailable:
        # An engine that went away may come back as another version.
        self._api_version = ""
        if isinstance(error, TimeoutError):
            return EngineUnavailable(
                f"the engine at {self.socket} did not answer in time", timed_out=True
            )
        exhausted = isinstance(error, OSError) and error.errno in _EXHAUSTED
        reason = f"cannot talk to the engine at {self.socket}: {error}"
        return EngineUnavailable(reason, exhausted=exhausted)


def negotiate(highest: str, lowest: str) -> str:
    """The version to speak with an engine that accepts `lowest` to `highest`.

    Raises EngineUnavailable where we and the engine have none in common.
    """
    engine_high, engine_low = _numbers(highest), _numbers(lowest) or API_LOWEST
    chosen = min(engine_high, API_HIGHEST)
    if chosen < max(API_LOWEST, engine_low):
        raise EngineUnavailable(
            f"the engine speaks API {lowest} to {highest}; "
            f"{_text(API_LOWEST)} to {_text(API_HIGHEST)} is needed"
        )
    return _text(chosen)


async def lines(
    reader: aiohttp.StreamReader, stall_seconds: float | None = None
) -> AsyncIterator[bytes]:
    """The lines of a stream, without their ends; a rest without an end is a line too.

    Raises TimeoutError where nothing comes for `stall_seconds`.
    """
    rest = b""
    while not reader.at_eof():
        async with asyncio.timeout(stall_seconds):
            rest += await reader.readany()
        *whole, rest = rest.split(b"\n")
        if len(rest) > LINE_BYTES_MAX:
            raise EngineUnavailable("the engine sent a line without end")
        for line in whole:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


async def _whole(reader: aiohttp.StreamReader) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in reader.iter_any():
        size += len(piece)
        if size > ANSWER_BYTES_MAX:
            raise EngineUnavailable("the engine sent an answer beyond all measure")
        pieces.append(piece)
    return b"".join(pieces)


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


def _text(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
