"""Our HTTP connection: uvicorn's, with bounds on headers, and files sent by the kernel.

A subclass of uvicorn's httptools protocol. It closes a client that is slow with its headers, sends
an answer's head and body as one piece (`Joined`), and gives each HTTP scope the extension
`moorage.file`, with which a response's body is sent from an open file by sendfile(2) in a thread:
pumping large layers through coroutines would cost half of the throughput.
"""

import asyncio
import functools
import os
import select
import socket
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from moorage.gateway.upgraded import Upgraded

HEADER_BYTES_MAX = 64 * 1024
HEADER_SECONDS = 10.0
FILE_EXTENSION = "moorage.file"
SEND_AT_ONCE_BYTES = 8 * 1024 * 1024
# A client that takes nothing for so long is cut off.
SEND_STALL_SECONDS = 60.0
SEND_PATIENCE_SECONDS = 0.02
DRAIN_POLL_SECONDS = 0.002


class ClientGone(Exception):  # noqa: N818 - the past tense of a client
    """The client closed, or stopped taking bytes, while a file was being sent."""


class Joined:
    """A transport for one answer, which holds the head back until the first of its body is there.

    Sent in two pieces, a server that is killed between them leaves an answer of nothing but a head,
    and botocore takes that for a success without members. A body that does not follow at once, as
    that of a log that is followed, is not waited for.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Write to this transport."""
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = None
        self._due: asyncio.Handle | None = None

    def write(self, data: bytes) -> None:
        """Send these bytes: the first ones together with the next, or in the loop's next round."""
        if self._due is None:
            self._head, self._due = data, self._loop.call_soon(self.flush)
        elif self._head is None:
            self._transport.write(data)
        else:
            self._head += data
            self.flush()

    def flush(self) -> None:
        """Send what is held back."""
        if self._due is not None:
            self._due.cancel()
        head, self._head = self._head, None
        if head is not None:
            self._transport.write(head)

    def close(self) -> None:
        """Close the connection once all is sent."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()


class Connection(HttpToolsProtocol):
    """One client connection."""

    header_seconds = HEADER_SECONDS
    upgraded = Upgraded

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Begin with no request."""
        super().__init__(*arguments, **named)
        self._header_bytes = 0
        self._header_timer: asyncio.TimerHandle | None = None
        self._leaving = False

    def leave(self) -> None:
        """Answer what is asked already, or next, as the last of this connection, and say so.

        Closed at once, a connection that seems to rest would cut the request that is on its way.
        """
        self._leaving = True
        self._last_answer()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the client its time for the first headers."""
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._drop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._header_bytes = 0
        self._expect_headers()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the request line among the headers."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count each header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The headers came in time."""
        self._drop_timer()
        super().on_headers_complete()
        if self._leaving:
            self._last_answer()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; it counts no more among those that are served at once."""
        self.connections.discard(self)
        self._drop_timer()
        # The parser knows this object, which would wait for the collector of garbage.
        self.parser = None  # type: ignore[assignment]  # as uvicorn does at the end
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            self.transport.close()  # an earlier request was not answered yet
            return
        upgraded = self.upgraded(self.transport, self.loop)
        self.transport.set_protocol(upgraded)
        upgraded.begin(self.app, {**self.scope}, self.url)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Offer the extension to the request that starts; a pipelined one starts later."""
        cycle.transport = Joined(self.transport, self.loop)  # type: ignore[assignment]
        send = functools.partial(self.send_file, cycle)
        cycle.scope["extensions"] = {FILE_EXTENSION: {"send": send}}
        super()._start_asgi_task(cycle, app)

    async def send_file(
        self, cycle: RequestResponseCycle, file: int, offset: int, count: int
    ) -> None:
        """Send `count` bytes of the open file descriptor as the whole body of the response.

        The response has been started with `content-length: count`. Raises ClientGone.
        """
        cycle.transport.flush()  # type: ignore[attr-defined]
        while (  # noqa: ASYNC110 - the transport tells nobody when its buffer is empty
            self.transport.get_write_buffer_size() and not cycle.disconnected
        ):
            await asyncio.sleep(DRAIN_POLL_SECONDS)
        plain = self.transport.get_extra_info("socket")
        if cycle.disconnected or plain is None:
            raise ClientGone
        twin = socket.socket(fileno=os.dup(plain.fileno()))
        try:
            sent_until = offset
            while sent_until < offset + count:
                sent_until = await asyncio.to_thread(_send, twin, file, sent_until, offset + count)
                if sent_until < offset + count:
                    await _writable(twin)
        except OSError as error:
            self.transport.abort()
            raise ClientGone from error
        finally:
            twin.close()
        cycle.expected_content_length -= count
        await cycle.send({"type": "http.response.body", "body": b"", "more_body": False})

    def _last_answer(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn sets it with the first request
        if cycle is not None:
            cycle.keep_alive = False

    def _expect_headers(self) -> None:
        self._drop_timer()
        self._header_timer = self.loop.call_later(self.header_seconds, self._too_slow)

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _drop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _count(self, size_bytes: int) -> None:
        self._header_bytes += size_bytes
        if self._header_bytes > HEADER_BYTES_MAX and not self.transport.is_closing():
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
                b"content-length: 0\r\nconnection: close\r\n\r\n"
            )
            self.transport.close()


def bounded(header_seconds: float) -> type[Connection]:
    """The connection class that gives a client so long for its headers."""
    return type("BoundedConnection", (Connection,), {"header_seconds": header_seconds})


def _send(twin: socket.socket, file: int, start: int, stop: int) -> int:
    """Move bytes from file to socket inside the kernel; answers how far it came.

    Ends early where the client takes nothing for SEND_PATIENCE_SECONDS: a slow client is waited
    for by the loop, and holds no thread.
    """
    poller = select.poll()
    poller.register(twin.fileno(), select.POLLOUT)
    sent_until = start
    while sent_until < stop:
        try:
            sent = os.sendfile(
                twin.fileno(), file, sent_until, min(SEND_AT_ONCE_BYTES, stop - sent_until)
            )
        except BlockingIOError:
            if not poller.poll(SEND_PATIENCE_SECONDS * 1000):
                break
            continue
        if sent == 0:
            raise OSError("the file is shorter than its digest's row says")
        sent_until += sent
    return sent_until


async def _writable(twin: socket.socket) -> None:
    """Wait until the client takes bytes again; raises TimeoutError, an OSError, if it never does."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(twin.fileno(), ready.set)
    try:
        await asyncio.wait_for(ready.wait(), SEND_STALL_SECONDS)
    finally:
        loop.remove_writer(twin.fileno())
