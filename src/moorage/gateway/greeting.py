"""Accepts connections, a few in each turn of the event loop; on a TLS port each gets its handshake.

Hosts come back by the thousand when a server starts again. They wait in the kernel's queue, and
whoever is connected already is answered between one portion of them and the next. The event loop's
own way takes in one a turn, and earlier versions of it all there were: with one, who comes while
turns are long finds the queue full, a caller of the API among them; with all, everybody waits.

On a TLS port the current certificate is asked for with each handshake, and who speaks plain HTTP
is told so, where the event loop's own way would close without a word.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable

# Newcomers of one turn of the loop: with what they ask for at once, some ten milliseconds.
NEWCOMERS_AT_ONCE = 32
# Of those who shake hands, which takes the better part of a millisecond.
HANDSHAKES_AT_ONCE = 8
# Handshakes under way at once; beyond it whoever has taken longest makes way: who means it well is
# done in milliseconds, and would else find no place among those who only stall.
GREETINGS_MAX = 4096
# A closing TLS connection waits so long for the peer's last word.
SHUTDOWN_SECONDS = 1.0
# What a handshake under way has to end once nobody is accepted any more: its client may have sent
# its request already, and would not know whether it was heard.
FAREWELL_SECONDS = 0.2
# After a failure to accept (no file descriptors left), the next try.
RETRY_SECONDS = 0.5
REQUEST_BYTES_MAX = 64 * 1024
LAST_WORD_SECONDS = 1.0
TLS_HANDSHAKE = 0x16  # RFC 8446, 5.1: the first byte of a ClientHello's record
PLAIN = (
    b"HTTP/1.1 400 Bad Request\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\n"
    b"connection: close\r\n\r\n"
    b"%b"
)
TOLD = b"This port speaks TLS: the URL begins with https://\n"
_log = logging.getLogger("moorage.tls")


class Greeter:
    """Accepts on one listening socket; what comes after the handshake is the protocol's."""

    greetings_max = GREETINGS_MAX

    def __init__(
        self,
        protocol: Callable[[], asyncio.Protocol],
        context: Callable[[], ssl.SSLContext] | None,
        handshake_seconds: float,
    ) -> None:
        """Take what serves a connection, and who knows the certificate of the moment.

        Without a `context` the port is a plain one, and nobody shakes hands.
        """
        self._protocol = protocol
        self._context = context
        self._handshake_seconds = handshake_seconds
        self._at_once = NEWCOMERS_AT_ONCE if context is None else HANDSHAKES_AT_ONCE
        self._greetings: dict[asyncio.Task[None], None] = {}  # in the order they came
        self._listening: socket.socket | None = None

    def begin(self, listening: socket.socket) -> None:
        """Accept from now on."""
        listening.setblocking(False)
        self._listening = listening
        self._listen()

    def close(self) -> None:
        """Accept no more; handshakes under way end within FAREWELL_SECONDS, or are given up."""
        if self._listening is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listening)
        self._listening = None
        loop.call_later(FAREWELL_SECONDS, self._give_up)

    def _give_up(self) -> None:
        for greeting in self._greetings:
            greeting.cancel()

    async def wait_closed(self) -> None:
        """Wait until nothing of it runs."""
        if self._greetings:
            await asyncio.wait({*self._greetings})

    def _listen(self) -> None:
        if self._listening is not None:  # it may have been closed meanwhile
            loop = asyncio.get_running_loop()
            loop.add_reader(self._listening, self._accept, self._listening)

    def _accept(self, listening: socket.socket) -> None:
        """Take some in; the loop comes again for the others, when it has seen to everybody else."""
        for _ in range(self._at_once):
            try:
                newcomer, address = listening.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                _log.warning("a connection could not be accepted: %s", error)
                loop = asyncio.get_running_loop()
                loop.remove_reader(listening)
                loop.call_later(RETRY_SECONDS, self._listen)
                return
            self._receive(newcomer, f"{address[0]}:{address[1]}")

    def _receive(self, newcomer: socket.socket, peer: str) -> None:
        if len(self._greetings) >= self.greetings_max:
            oldest = next(iter(self._greetings))
            del self._greetings[oldest]
            oldest.cancel()
        greeting = asyncio.get_running_loop().create_task(self._greet(newcomer, peer))
        self._greetings[greeting] = None
        greeting.add_done_callback(lambda done: self._greetings.pop(done, None))

    async def _greet(self, newcomer: socket.socket, peer: str) -> None:
        newcomer.setblocking(False)
        try:
            if self._context is None:
                await self._serve(newcomer, None)
                return
            async with asyncio.timeout(self._handshake_seconds):
                first = await _first_byte(newcomer)
                if first == TLS_HANDSHAKE:
                    await self._serve(newcomer, self._context())
                else:
                    await _turn_away(newcomer, first)
        except TimeoutError:
            _log.info("no TLS with %s: it took longer than %g s", peer, self._handshake_seconds)
            newcomer.close()
        except OSError as error:  # ssl.SSLError among them
            wanted = "connection" if self._context is None else "TLS"
            _log.info("no %s with %s: %s", wanted, peer, str(error) or "closed in the handshake")
            newcomer.close()
        except asyncio.CancelledError:
            newcomer.close()
            raise

    async def _serve(self, newcomer: socket.socket, context: ssl.SSLContext | None) -> None:
        """Hand a newcomer to the protocol, with TLS by the `context`."""
        with contextlib.suppress(OSError):
            newcomer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        if context is None:
            await loop.connect_accepted_socket(self._protocol, newcomer)
            return
        await loop.connect_accepted_socket(
            self._protocol,
            newcomer,
            ssl=context,
            ssl_handshake_timeout=self._handshake_seconds,
            ssl_shutdown_timeout=SHUTDOWN_SECONDS,
        )


async def _first_byte(newcomer: socket.socket) -> int:
    """The first byte that the peer says, left where it is; raises OSError where he goes away."""
    await _readable(newcomer)
    peeked = newcomer.recv(1, socket.MSG_PEEK)
    if not peeked:
        raise ConnectionResetError("closed before a word was said")
    return peeked[0]


async def _readable(newcomer: socket.socket) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(newcomer.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(newcomer.fileno())


async def _turn_away(newcomer: socket.socket, first: int) -> None:
    """Answer who speaks HTTP; close on anybody else."""
    if chr(first).isascii() and chr(first).isupper():
        # Closing on unread bytes would reset the connection, and the answer with it.
        newcomer.recv(REQUEST_BYTES_MAX)
        newcomer.send(PLAIN % (len(TOLD), TOLD))
        newcomer.shutdown(socket.SHUT_WR)
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(_readable(newcomer), LAST_WORD_SECONDS)
    newcomer.close()
