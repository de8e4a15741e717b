"""The two things of aiohttp that clients here use, on the simulated network: a POST, a websocket.

The clients are the real ones (`wire.client`, `agent.control`, `agent.dial`): their bytes, their
signatures, their timeouts and retries. Only the socket below them is not there.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, Self, cast
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from moorage.sim.loop import Process
from moorage.sim.network import CUT, Connection, End, Host, Network
from moorage.wire.request import Request, Response

CALL_SECONDS_MAX = 60.0
CONNECT_SECONDS_MAX = 2.0
SWITCHING = 101
# Requests after which a second execution changes nothing: a network may deliver them twice.
REPEATABLE = (
    "SubmitTaskStateChange",
    "SubmitContainerStateChange",
    "DiscoverPollEndpoint",
    "UpdateService",
    "StopTask",
    "UpdateContainerInstancesState",
    "FreezeScheduling",
    "ThawScheduling",
    "PutAttributes",
)


class Server(Protocol):
    """Who answers at the other end."""

    host: Host

    @property
    def process(self) -> Process | None:
        """The process that listens, or None."""
        ...

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        ...

    async def serve(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        """Serve one websocket."""
        ...


class Session:
    """What stands in for aiohttp.ClientSession in one process of one machine."""

    def __init__(self, network: Network, host: Host, process: Process, server: Server) -> None:
        """Call one server."""
        self.network = network
        self.host = host
        self.process = process
        self.server = server
        self.traces: list[aiohttp.TraceConfig] = []

    def tracing(self, config: aiohttp.TraceConfig) -> aiohttp.ClientSession:
        """The same, with somebody who reads refusals."""
        other = Session(self.network, self.host, self.process, self.server)
        other.traces = [config]
        return other.disguised()

    def disguised(self) -> aiohttp.ClientSession:
        """As the clients' annotations want it; they use no more than what is here."""
        return cast("aiohttp.ClientSession", self)

    async def close(self) -> None:
        """Nothing is to be closed."""

    def post(self, url: URL, *, headers: dict[str, str], data: bytes, **_: object) -> "Exchange":
        """Send a request; use it as aiohttp's."""
        parts = urlsplit(str(url))
        request = Request(
            method="POST",
            path=parts.path or "/",
            query=parts.query,
            headers=tuple((name.lower(), value) for name, value in headers.items()),
            body=data,
        )
        return Exchange(self, request)

    async def ws_connect(
        self, url: URL, *, headers: dict[str, str], **_: object
    ) -> aiohttp.ClientWebSocketResponse:
        """Open a websocket; raises what aiohttp raises."""
        await reach(self)
        parts = urlsplit(str(url))
        scope = {
            "type": "websocket",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "headers": [(n.lower().encode(), v.encode()) for n, v in headers.items()],
        }
        socket = Socket(self)
        socket.open(scope)
        answer = await socket.opened()
        if answer["type"] == "websocket.accept":
            return cast("aiohttp.ClientWebSocketResponse", socket)
        for trace in self.traces:
            for heed in trace.on_request_end:
                refused = _Refused(answer["status"], answer["body"])
                await heed(self.disguised(), cast("Any", None), cast("Any", _Ended(refused)))
        raise aiohttp.WSServerHandshakeError(
            cast("Any", None), (), status=answer["status"], message="refused"
        )


async def reach(session: Session) -> None:
    """The handshake of TCP: raises where nobody answers, or somebody says no."""
    network, server = session.network, session.server
    there = network.is_cut(session.host, server.host)
    back = network.is_cut(server.host, session.host)
    if there or back or not server.host.has_power:
        await asyncio.sleep(CONNECT_SECONDS_MAX)
        raise aiohttp.ConnectionTimeoutError("Connection timeout to host")
    await asyncio.sleep((network.latency() + network.latency()) / 1_000_000)
    if server.process is None or server.process.dead:
        raise aiohttp.ClientOSError(111, "Connect call failed")


class Exchange:
    """One request and its answer."""

    def __init__(self, session: Session, request: Request) -> None:
        """Send nothing yet."""
        self._session = session
        self._request = request
        self._answer: asyncio.Future[Response] | None = None

    async def __aenter__(self) -> Self:
        """Send it and wait for the answer."""
        session = self._session
        process = session.process
        self._answer = process.create_future()
        async with asyncio.timeout(CALL_SECONDS_MAX):
            await reach(session)
            server = session.server.process
            assert server is not None, "it was reached"
            near = End(session.host, process, self._heard, self._closed)
            far = End(session.server.host, server, lambda _: None, lambda _: None)
            connection = session.network.connect(near, far)
            far.hear = self._server_side(connection, far)
            try:
                connection.send(near, self._request)
                response = await self._answer
                far.is_open = False
            finally:
                near.is_open = False
                if far.is_open:  # it may be done yet, though nobody waits for it
                    session.network.abandon(far)
                session.network.connections.pop(connection, None)
        self.status = response.status
        self.headers = dict(response.headers)
        self._body = response.body
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is left."""

    @property
    def content(self) -> "Exchange":
        """Where the body is read."""
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        """The body."""
        yield self._body

    async def read(self) -> bytes:
        """The body, whole."""
        return self._body

    def _heard(self, response: Response) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(response)

    def _closed(self, code: int) -> None:
        del code
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(aiohttp.ServerDisconnectedError())

    def _server_side(self, connection: Connection, far: End) -> Callable[[Any], None]:
        seen = 0

        async def work(request: Request) -> None:
            response = await self._session.server.answer(request)
            connection.send(far, response)

        def hear(request: Request) -> None:
            nonlocal seen
            seen += 1
            if seen == 1 or _bears_repeating(request):
                far.process.create_task(work(request))

        return hear


def _bears_repeating(request: Request) -> bool:
    target = request.get("x-amz-target") or ""
    return target.rpartition(".")[2] in REPEATABLE or b'"clientToken"' in request.body


class _Refused:
    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.content = self
        self._body = body

    async def read(self, _most: int = -1) -> bytes:
        return self._body


class _Ended:
    def __init__(self, response: _Refused) -> None:
        self.response = response


class Socket:
    """What stands in for aiohttp.ClientWebSocketResponse; its other end speaks ASGI."""

    def __init__(self, session: Session) -> None:
        """Not open yet."""
        self._session = session
        process = session.process
        self._came: deque[aiohttp.WSMessage] = deque()
        self._bell = asyncio.Event()
        self._opened: asyncio.Future[dict[str, Any]] = process.create_future()
        self.close_code: int | None = None
        self.closed = False
        server = session.server.process
        assert server is not None, "it was reached"
        self._near = End(session.host, process, self._heard, self._shut)
        self._far = End(session.server.host, server, self._far_heard, self._far_shut)
        self._connection = session.network.connect(self._near, self._far)
        self._to_server: deque[dict[str, Any]] = deque()
        self._server_bell: asyncio.Event | None = None
        self._refusal: dict[str, Any] = {}

    # --- the client's side -----------------------------------------------------------------------

    def open(self, scope: dict[str, Any]) -> None:
        """Send the handshake."""
        self._connection.send(self._near, ("open", scope))

    async def opened(self) -> dict[str, Any]:
        """What the handshake came to; raises what aiohttp raises."""
        async with asyncio.timeout(CALL_SECONDS_MAX / 2):
            return await self._opened

    def __aiter__(self) -> "Socket":
        """Message after message."""
        return self

    async def __anext__(self) -> aiohttp.WSMessage:
        """The next message; ends with the connection."""
        message = await self.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return message
        raise StopAsyncIteration

    async def receive(self) -> aiohttp.WSMessage:
        """The next message, or CLOSED."""
        while not self._came and not self.closed:
            self._bell.clear()
            await self._bell.wait()
        if self._came:
            return self._came.popleft()
        return aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None)

    async def send_str(self, text: str) -> None:
        """Say this; raises ClientConnectionResetError where it is over."""
        if self.closed:
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
        self._connection.send(self._near, ("frame", text))

    async def close(self, *, code: int = 1000) -> None:
        """Close it."""
        if not self.closed:
            self._connection.close(self._near, code)
            self._end(code)

    def _end(self, code: int) -> None:
        self.closed = True
        self.close_code = code
        self._bell.set()
        if not self._opened.done():
            self._opened.set_exception(aiohttp.ServerDisconnectedError())

    def _heard(self, thing: tuple[str, Any]) -> None:
        kind, what = thing
        if kind == "answer":
            if not self._opened.done():
                self._opened.set_result(what)
        elif not self.closed:
            self._came.append(aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, what, None))
            self._bell.set()

    def _shut(self, code: int) -> None:
        if not self.closed:
            self._end(code)

    # --- the server's side -----------------------------------------------------------------------

    def _far_heard(self, thing: tuple[str, Any]) -> None:
        kind, what = thing
        if kind == "open":
            if self._server_bell is not None:
                return
            self._server_bell = asyncio.Event()
            self._put({"type": "websocket.connect"})
            self._far.process.create_task(self._serve(what))
        else:
            self._put({"type": "websocket.receive", "text": what})

    def _far_shut(self, code: int) -> None:
        self._put({"type": "websocket.disconnect", "code": code})

    def _put(self, message: dict[str, Any]) -> None:
        self._to_server.append(message)
        if self._server_bell is not None:
            self._server_bell.set()

    async def _serve(self, scope: dict[str, Any]) -> None:
        await self._session.server.serve(scope, self._receive, self._send)
        if self._far.is_open:
            self._connection.close(self._far, CUT)

    async def _receive(self) -> dict[str, Any]:
        assert self._server_bell is not None, "it was opened"
        while not self._to_server:
            self._server_bell.clear()
            await self._server_bell.wait()
        return self._to_server.popleft()

    async def _send(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if not self._far.is_open:
            raise OSError("the connection is gone")
        if kind == "websocket.accept":
            self._connection.send(self._far, ("answer", message))
        elif kind == "websocket.send":
            self._connection.send(self._far, ("frame", message["text"]))
        elif kind == "websocket.close":
            self._connection.close(self._far, int(message["code"]))
            self._put({"type": "websocket.disconnect", "code": int(message["code"])})
        elif kind == "websocket.http.response.start":
            self._refusal = {"type": kind, "status": message["status"], "body": b""}
        else:
            self._refusal["body"] += message["body"]
            self._connection.send(self._far, ("answer", self._refusal))
