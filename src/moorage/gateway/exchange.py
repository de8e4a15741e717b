"""HTTP exchanges over ASGI: whole and bounded for the AWS APIs, streaming for the registry."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from moorage.blob.store import OpenBlob, StoreFailed
from moorage.ecr.distribution.exchange import ClientCut
from moorage.gateway.connection import FILE_EXTENSION, ClientGone
from moorage.ground.fault import TooLarge, TooSlow, Unavailable
from moorage.wire.request import Request, Response

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# What is gathered of a streamed body before it is handed on: each piece costs a thread's turn.
PIECE_BYTES = 1024 * 1024
# A client that sends nothing of its body for so long is cut off.
BODY_STALL_SECONDS = 60.0
# Nor may a whole body take longer, however steadily it drips.
BODY_SECONDS_MAX = 120.0
# Who sends a body is known only when it has come. Short ones cost little beside their connections;
# of longer ones no more are taken in at once than fill so much memory.
SHORT_BODY_BYTES = 32 * 1024
LONG_BODIES_BYTES_MAX = 128 * 1024 * 1024
LONG_BODIES_MIN = 4
QUERY_PARAMETERS_MAX = 64
FILE_PIECE_BYTES = 256 * 1024


class StreamedExchange:
    """The registry's exchange: implements moorage.ecr.distribution.exchange.Exchange."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one ASGI request whose body has not been read."""
        self._scope = scope
        self._receive = receive
        self._send = send
        self._at_end = False
        self._headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        self.started = False
        self.status = 0

    @property
    def method(self) -> str:
        """The HTTP method, in upper case."""
        method: str = self._scope["method"]
        return method

    @property
    def path(self) -> str:
        """The path with its percent-encoding undone."""
        path: str = self._scope["path"]
        return path

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters; of one given twice, the last; none where there are too many."""
        try:
            return dict(
                parse_qsl(
                    self._scope["query_string"].decode("latin-1"),
                    keep_blank_values=True,
                    max_num_fields=QUERY_PARAMETERS_MAX,
                )
            )
        except ValueError:
            return {}

    def header(self, name: str) -> str | None:
        """The value of a header by its lower-case name, or None."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    async def read(self) -> bytes:
        """The next piece of the body, b"" at its end; raises ClientCut."""
        piece = bytearray()
        while not self._at_end and len(piece) < PIECE_BYTES:
            try:
                async with asyncio.timeout(BODY_STALL_SECONDS):
                    message = await self._receive()
            except TimeoutError as error:
                raise ClientCut from error
            if message["type"] == "http.disconnect":
                if piece:
                    break
                raise ClientCut
            piece += message.get("body", b"")
            self._at_end = not message.get("more_body", False)
        return bytes(piece)

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send the whole answer; `content-length` is set from `body` unless given."""
        await self._start(status, {"content-length": str(len(body)), **headers})
        await self._send({"type": "http.response.body", "body": body})

    async def send_blob(
        self, status: int, headers: Mapping[str, str], blob: OpenBlob, span: range
    ) -> None:
        """Send the bytes `span` of a blob as the answer's body, by the kernel if it can."""
        await self._start(status, {**headers, "content-length": str(len(span))})
        extension = self._scope.get("extensions", {}).get(FILE_EXTENSION)
        file = blob.fileno()
        try:
            if extension is not None and self._scope["scheme"] == "http" and file is not None:
                await extension["send"](file, span.start, len(span))
            else:
                await self._pump(blob, span)
        except (ClientGone, StoreFailed) as error:
            raise ClientCut from error

    async def _pump(self, blob: OpenBlob, span: range) -> None:
        at = span.start
        while at < span.stop:
            piece = await asyncio.to_thread(blob.read_at, at, min(FILE_PIECE_BYTES, span.stop - at))
            if not piece:
                raise ClientCut
            at += len(piece)
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self._send({"type": "http.response.body", "body": b""})

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.started, self.status = True, status
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (name.lower().encode("latin-1"), value.encode("latin-1"))
                    for name, value in headers.items()
                ],
            }
        )


class Intake:
    """Bodies that are on their way, of requests of which nothing is verified yet."""

    def __init__(self, body_bytes_max: int, seconds_max: float = BODY_SECONDS_MAX) -> None:
        """Take no body longer than `body_bytes_max`, and none that takes longer to come."""
        self._body_bytes_max = body_bytes_max
        self._seconds_max = seconds_max
        self._places = max(LONG_BODIES_BYTES_MAX // body_bytes_max, LONG_BODIES_MIN)

    async def request(self, scope: Scope, receive: Receive) -> Request | None:
        """The request with its whole body, or None where the client went away.

        Raises TooLarge for a body that is too long, TooSlow for one that stalls or drips, and
        Unavailable for a long one while too many are on their way.
        """
        body = bytearray()
        has_place = False
        try:
            async with asyncio.timeout(self._seconds_max):
                while (message := await _piece(receive)) is not None:
                    body += message.get("body", b"")
                    if len(body) > self._body_bytes_max:
                        told = f"longer than {self._body_bytes_max} bytes"
                        raise TooLarge(f"The request's body is {told}.")
                    if len(body) > SHORT_BODY_BYTES and not has_place:
                        has_place = self._take_place()
                    if not message.get("more_body", False):
                        return request_of(scope, bytes(body))
                return None
        except TimeoutError as error:
            raise TooSlow(f"The body did not come within {self._seconds_max:g} s.") from error
        finally:
            self._places += has_place

    def _take_place(self) -> bool:
        if not self._places:
            raise Unavailable("Too many long requests are on their way. Try again in a moment.")
        self._places -= 1
        return True


async def _piece(receive: Receive) -> Message | None:
    """The next piece of a body, None where the client went away; raises TooSlow where none comes."""
    try:
        async with asyncio.timeout(BODY_STALL_SECONDS):
            message = await receive()
    except TimeoutError as error:
        raise TooSlow(f"Nothing of the body came for {BODY_STALL_SECONDS:g} s.") from error
    return None if message["type"] == "http.disconnect" else message


def request_of(scope: Scope, body: bytes = b"") -> Request:
    """A plain request record of an ASGI scope."""
    return Request(
        method=scope.get("method", "GET"),
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
        ),
        body=body,
    )


async def send_response(send: Send, response: Response) -> None:
    """Send a plain response record, with its length."""
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers
    ]
    headers.append((b"content-length", str(len(response.body)).encode("ascii")))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
