"""One websocket of the listening socket: no task, no queue, and next to nothing kept while it rests.

The handshake is decided by the ASGI application, which may take its time; from then on each message
is handed to an ear as it comes, and what is said goes to the transport at once. Ten thousand of
these, two a host, are most of what a server with five thousand idle hosts holds. The protocol itself
(RFC 6455) is that of the library `websockets`, without I/O and without extensions.
"""

import asyncio
import email.utils
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from websockets.datastructures import Headers
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Event, Protocol, Side, State
from websockets.server import ServerProtocol

from moorage.gateway.line import BYTES_WAITING_MAX, CLOSE_SECONDS_MAX, CUT, Ear, Line

UPGRADED_EXTENSION = "moorage.websocket"
FRAME_BYTES_MAX = 4 * 1024 * 1024
# Of what one read brings, so much is taken in at a time: 256 KiB of the shortest frames would hold
# everybody up for half a second.
TAKEN_AT_ONCE_BYTES = 32 * 1024
CLOSE_GOING_AWAY = 1012  # service restart (IANA's registry of close codes)
_Headers = Sequence[tuple[bytes, bytes]]
_NO_BODY: _Headers = ((b"content-length", b"0"),)
_log = logging.getLogger("moorage.agents")
# At DEBUG the library would write down what is said, the keys of hosts among it.
_quiet = logging.getLogger("moorage.websockets")
_quiet.setLevel(logging.INFO)


_MESSAGES = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})
# Where a connection is: in its handshake; open; closed by us, and not yet by the peer; over.
_OPENING, _OPEN, _CLOSING, _ENDED = range(4)


class Upgraded(asyncio.Protocol):
    """Implements Line; serves a connection that asked to be upgraded."""

    __slots__ = (
        "_answer",
        "_deadline",
        "_ear",
        "_is_text",
        "_loop",
        "_parts",
        "_pending",
        "_state",
        "_task",
        "_transport",
        "_unread",
        "_wire",
    )

    bytes_waiting_max = BYTES_WAITING_MAX
    close_seconds_max = CLOSE_SECONDS_MAX

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Take the connection over; nothing is read from it before `listen`."""
        self._transport = transport
        self._loop = loop
        self._wire = Protocol(
            Side.SERVER, state=State.OPEN, max_size=FRAME_BYTES_MAX, logger=_quiet
        )
        # What has come and waits for what is to be done first: at most what one read brought; and
        # what of that read is not taken in yet.
        self._pending: deque[Event] = deque()
        self._unread = b""
        # A message of several frames: what of it has come, and whether it is a text.
        self._parts: bytearray | None = None
        self._is_text = False
        self._state = _OPENING
        self._ear: Ear | None = None
        # What decides the handshake; later what is to be done before more is read.
        self._task: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        # What accepts the handshake; then the head of a refusal.
        self._answer = b""
        transport.pause_reading()

    def begin(
        self, application: Callable[..., Awaitable[None]], scope: dict[str, Any], target: bytes
    ) -> None:
        """Let the application decide the handshake, a request of this scope for this target."""
        response = _handshake(scope, target)
        self._answer = response.serialize()
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            self._end(self._answer)
            return
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
        """Hand each message from now on to the ear that is made for this line.

        None is made for a peer that went away while its handshake was decided: it was told nothing,
        and another of its connections may be in use.
        """
        if self._state == _OPEN:
            self._ear = make(self)

    # What the door says

    def frame(self, text: str) -> None:
        """Say this; a peer that takes nothing any more is given up."""
        if not self._speaks:
            return
        self._wire.send_text(text.encode())
        self._flush()

    def close(self, code: int) -> None:
        """Close with a code, and give the peer a while to say it, too."""
        if not self._speaks:
            return
        self._state = _CLOSING
        self._wire.send_close(code)
        self._flush()
        self._loop.call_soon(self._tell, code)  # not now: the caller is in the midst of something
        if code == CLOSE_GOING_AWAY:
            self._hang_up()
            return
        self._deadline = self._loop.call_later(self.close_seconds_max, self._give_up)
        self._read_on()

    @property
    def _speaks(self) -> bool:
        """Whether neither end has closed."""
        return self._state == _OPEN and self._wire.state is State.OPEN

    # What the connection says

    def data_received(self, data: bytes) -> None:
        """Take in what the peer says; of much, a portion in each turn of the loop."""
        if not self._unread and len(data) <= TAKEN_AT_ONCE_BYTES:
            self._feed(data)
            return
        is_first, self._unread = not self._unread, self._unread + data
        if is_first:
            self._transport.pause_reading()
            self._feed_portion()

    def _feed_portion(self) -> None:
        portion = self._unread[:TAKEN_AT_ONCE_BYTES]
        self._unread = self._unread[TAKEN_AT_ONCE_BYTES:]
        self._feed(portion)
        if self._unread and self._is_open:
            self._loop.call_soon(self._feed_portion)
        else:
            self._unread = b""
            self._read_on()

    def _read_on(self) -> None:
        """Read more, unless something is to be taken in or done first."""
        is_free = self._task is None or self._state == _CLOSING
        if is_free and not self._unread and self._is_open and not self._transport.is_closing():
            self._transport.resume_reading()

    def _feed(self, data: bytes) -> None:
        self._wire.receive_data(data)
        self._flush()
        self._pending += self._wire.events_received()
        self._take()
        broken = self._wire.close_sent
        if self._wire.parser_exc is not None and broken is not None and self._is_open:
            self._over(broken.code)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        del exc
        self._state = _ENDED
        if self._deadline is not None:
            self._deadline.cancel()
        self._tell(CUT)

    @property
    def _is_open(self) -> bool:
        return _OPEN <= self._state <= _CLOSING

    def _flush(self) -> None:
        """Send what the protocol has to say, answers to pings too; give up who takes none of it.

        Its word that nothing follows is heeded elsewhere.
        """
        data = b"".join(self._wire.data_to_send())
        if data:
            self._transport.write(data)
        if self._transport.get_write_buffer_size() > self.bytes_waiting_max:
            self._state = _ENDED
            self._loop.call_soon(self._give_up)  # not now: as in `close`

    def _take(self) -> None:
        """Take what has come, until there is something to be done first.

        Once we have closed, only the peer's close counts, and nothing is before it.
        """
        while self._pending and self._is_open and (self._task is None or self._state == _CLOSING):
            event = self._pending.popleft()
            assert isinstance(event, Frame), "no handshake comes after the handshake"
            self._heard(event)

    def _heard(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            assert self._wire.close_rcvd is not None, "it was received"
            self._over(self._wire.close_rcvd.code)
        elif frame.opcode in _MESSAGES and self._state == _OPEN and self._ear is not None:
            try:
                message = self._whole(frame)
            except UnicodeDecodeError:
                self.close(CloseCode.INVALID_DATA)
                self._hang_up()
                return
            work = None if message is None else self._ear.heard(message)
            if work is not None:
                if self._state == _OPEN:
                    self._transport.pause_reading()
                self._do(work)

    def _whole(self, frame: Frame) -> str | bytes | None:
        """The message that a frame ends, None where more of it is to come."""
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        payload = bytes(frame.data)
        if self._parts is not None or not frame.fin:
            self._parts = self._parts or bytearray()
            self._parts += payload
            if not frame.fin:
                return None
            payload, self._parts = bytes(self._parts), None
        return payload.decode() if self._is_text else payload

    def _over(self, code: int) -> None:
        """The peer has closed, or was told why it may not go on."""
        self._state = _ENDED
        self._hang_up()
        self._tell(code)

    def _hang_up(self) -> None:
        """Close when what was said has left; by force, where that takes too long."""
        if not self._transport.is_closing():
            self._transport.close()
            if self._deadline is None:
                self._deadline = self._loop.call_later(self.close_seconds_max, self._give_up)

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
            self._hang_up()
        elif self._is_open and not self._transport.is_closing():
            self._read_on()
            self._take()

    # The handshake

    async def _decided(self, message: Any) -> None:
        """ASGI's send, for what is said before there is a line."""
        if self._state != _OPENING:
            return
        kind = message["type"]
        if kind == "websocket.accept":
            self._state = _OPEN
            self._transport.write(self._answer)
            self._answer = b""
        elif kind == "websocket.http.response.start":
            self._answer = _head(HTTPStatus(message["status"]), (*message["headers"], *_last()))
        else:
            assert kind == "websocket.http.response.body", f"no handshake is answered by {kind}"
            self._end(self._answer + message["body"])

    def _refuse(self, status: HTTPStatus, headers: _Headers) -> None:
        self._end(_head(status, (*headers, *_last())))

    def _end(self, answer: bytes) -> None:
        self._state = _ENDED
        self._transport.write(answer)
        self._hang_up()


async def _connected() -> dict[str, str]:
    """ASGI's receive: the handshake is all that comes this way."""
    return {"type": "websocket.connect"}


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _handshake(scope: dict[str, Any], target: bytes) -> Response:
    """What the protocol answers to a request to be upgraded, before anybody is asked."""
    headers = Headers([(k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"]])
    request = Request(
        path=target.decode("latin-1"),
        headers=headers,
        method=scope["method"],
        protocol=f"HTTP/{scope['http_version']}",
    )
    return ServerProtocol(logger=_quiet).accept(request)


def _last() -> _Headers:
    date = email.utils.formatdate(usegmt=True).encode("ascii")
    return ((b"date", date), (b"connection", b"close"))


def _head(status: HTTPStatus, headers: _Headers) -> bytes:
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, status.phrase.encode("ascii"), lines)
