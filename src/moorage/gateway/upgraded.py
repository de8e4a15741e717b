"""One websocket of the listening socket: no task, no queue, and next to nothing kept while it rests.

The handshake is decided by the ASGI application, which may take its time; from then on each message
is handed to an ear as it comes, and what is said goes to the transport at once. Ten thousand of
these, two a host, are most of what a server with five thousand idle hosts holds.
"""

import asyncio
import email.utils
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from moorage.gateway import frames
from moorage.gateway.line import BYTES_WAITING_MAX, CLOSE_SECONDS_MAX, CUT, Ear, Line

UPGRADED_EXTENSION = "moorage.websocket"
FRAME_BYTES_MAX = 4 * 1024 * 1024
CLOSE_GOING_AWAY = 1012  # service restart (IANA's registry of close codes)
VERSION = b"13"  # RFC 6455, 4.1
Headers = Sequence[tuple[bytes, bytes]]
_NO_BODY: Headers = ((b"content-length", b"0"),)
_log = logging.getLogger("moorage.agents")


# Where a connection is: in its handshake; open; closed by us, and not yet by the peer; over.
_OPENING, _OPEN, _CLOSING, _ENDED = range(4)


class Upgraded(asyncio.Protocol):
    """Implements Line; serves a connection that asked to be upgraded."""

    __slots__ = (
        "_answer",
        "_deadline",
        "_ear",
        "_loop",
        "_parser",
        "_state",
        "_task",
        "_transport",
    )

    bytes_waiting_max = BYTES_WAITING_MAX
    close_seconds_max = CLOSE_SECONDS_MAX

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Take the connection over; nothing is read from it before `listen`."""
        self._transport = transport
        self._loop = loop
        self._parser = frames.Parser(FRAME_BYTES_MAX)
        self._state = _OPENING
        self._ear: Ear | None = None
        # What decides the handshake; later what is to be done before more is read.
        self._task: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        # The value of Sec-WebSocket-Accept; then the head of a refusal.
        self._answer = b""
        transport.pause_reading()

    def begin(
        self, application: Callable[..., Awaitable[None]], scope: dict[str, Any], target: bytes
    ) -> None:
        """Let the application decide the handshake, a request of this scope for this target."""
        headers = dict(scope["headers"])
        key = frames.accepted(headers.get(b"sec-websocket-key", b""))
        if scope["method"] != "GET" or scope["http_version"] != "1.1" or key is None:
            self._refuse(HTTPStatus.BAD_REQUEST, _NO_BODY)
            return
        if headers.get(b"sec-websocket-version") != VERSION:
            known = (b"sec-websocket-version", VERSION)
            self._refuse(HTTPStatus.UPGRADE_REQUIRED, (known, *_NO_BODY))
            return
        self._answer = key
        path, _, query = target.partition(b"?")
        asked = {
            **scope,
            "type": "websocket",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "extensions": {UPGRADED_EXTENSION: self},
        }
        self._do(_awaited(application(asked, _connected, self._decided)))

    def listen(self, make: Callable[[Line], Ear]) -> None:
        """Hand each message from now on to the ear that is made for this line."""
        ear = make(self)
        if self._state == _OPEN:
            self._ear = ear
        else:  # the peer went away while the handshake was decided
            ear.ended(CUT)

    # What the door says

    def frame(self, text: str) -> None:
        """Say this; a peer that takes nothing any more is given up."""
        if self._state == _OPEN:
            self._transport.write(frames.frame(frames.TEXT, text.encode()))
            if self._transport.get_write_buffer_size() > self.bytes_waiting_max:
                self._state = _ENDED
                self._loop.call_soon(self._give_up)

    def close(self, code: int) -> None:
        """Close with a code, and give the peer a while to say it, too."""
        if self._state != _OPEN:
            return
        self._state = _CLOSING
        self._transport.write(frames.closing(code))
        self._loop.call_soon(self._tell, code)  # not now: the caller is in the midst of something
        if code == CLOSE_GOING_AWAY:
            self._transport.close()
            return
        self._deadline = self._loop.call_later(self.close_seconds_max, self._give_up)
        self._transport.resume_reading()

    # What the connection says

    def data_received(self, data: bytes) -> None:
        """Take in what the peer says."""
        self._parser.feed(data)
        self._take()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        del exc
        self._state = _ENDED
        if self._deadline is not None:
            self._deadline.cancel()
        self._tell(CUT)

    def _take(self) -> None:
        """Take what is whole, until there is something to be done first."""
        try:
            while self._task is None and _OPEN <= self._state <= _CLOSING:
                found = self._parser.take()
                if found is None:
                    return
                self._heard(*found)
        except frames.Broken as broken:
            self.close(broken.code)
            self._transport.close()

    def _heard(self, opcode: int, payload: bytes) -> None:
        if opcode == frames.CLOSE:
            self._closed(frames.code_of(payload))
        elif self._state != _OPEN:
            return
        elif opcode == frames.PING:
            self._transport.write(frames.frame(frames.PONG, payload))
        elif self._ear is not None:
            text = frames.text_of(payload) if opcode == frames.TEXT else payload
            work = self._ear.heard(text)
            if work is not None:
                self._transport.pause_reading()
                self._do(work)

    def _closed(self, code: int) -> None:
        """The peer closes, or says so, too."""
        if self._state == _OPEN:
            self._transport.write(frames.closing(code))
        self._state = _ENDED
        self._transport.close()
        self._tell(code)

    def _give_up(self) -> None:
        self._state = _ENDED
        self._transport.abort()
        self._tell(None)

    def _tell(self, code: int | None) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.ended(code)

    # What is to be done before more is read

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = self._loop.create_task(work)
        self._task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._task = None
        if not task.cancelled() and task.exception() is not None:
            _log.error("a websocket failed by a fault of ours", exc_info=task.exception())
            if self._state == _OPENING:
                self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, _NO_BODY)
            self._transport.close()
        elif self._state == _OPEN and not self._transport.is_closing():
            self._transport.resume_reading()
            self._take()

    # The handshake

    async def _decided(self, message: Any) -> None:
        """ASGI's send, for what is said before there is a line."""
        if self._state != _OPENING:
            return
        kind = message["type"]
        if kind == "websocket.accept":
            self._state = _OPEN
            told = (
                (b"upgrade", b"websocket"),
                (b"connection", b"Upgrade"),
                (b"sec-websocket-accept", self._answer),
            )
            self._answer = b""
            self._transport.write(_head(HTTPStatus.SWITCHING_PROTOCOLS, told))
        elif kind == "websocket.http.response.start":
            self._answer = _head(HTTPStatus(message["status"]), (*message["headers"], *_last()))
        else:
            assert kind == "websocket.http.response.body", f"no handshake is answered by {kind}"
            self._end(self._answer + message["body"])

    def _refuse(self, status: HTTPStatus, headers: Headers) -> None:
        self._end(_head(status, (*headers, *_last())))

    def _end(self, answer: bytes) -> None:
        self._state = _ENDED
        self._transport.write(answer)
        self._transport.close()


async def _connected() -> dict[str, str]:
    """ASGI's receive: the handshake is all that comes this way."""
    return {"type": "websocket.connect"}


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _last() -> Headers:
    date = email.utils.formatdate(usegmt=True).encode("ascii")
    return ((b"date", date), (b"connection", b"close"))


def _head(status: HTTPStatus, headers: Headers) -> bytes:
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, status.phrase.encode("ascii"), lines)
