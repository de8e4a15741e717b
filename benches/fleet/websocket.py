"""One websocket, the client's end (RFC 6455): text frames both ways, ping, close; masked with zeros."""

import asyncio
from typing import Protocol

from fleet.ground import Ground
from fleet.lines import HEAD_END, LENGTH, head, signed
from moorage.acs.codec import Refusal, decode_refusal
from moorage.wire.canonical import Credentials

SWITCHING = b"HTTP/1.1 101"
CUT = 1006
OPEN_SECONDS_MAX = 30.0
NONCE = "Zmxl" * 5 + "ZQ=="
FINAL, TEXT, CLOSE, PING, PONG = 0x80, 1, 8, 9, 10
LENGTH_SHORT, LENGTH_MIDDLE, LENGTH_LONG = 125, 126, 127
NO_MASK = b"\0\0\0\0"


class NotOpened(Exception):  # noqa: N818 - turned into a fact of the session
    """The handshake was refused, or came to nothing."""

    def __init__(self, refusal: Refusal | None = None, *, unreached: bool = False) -> None:
        """Keep the server's word, if it said one, and whether anybody answered at all."""
        super().__init__(refusal.name if refusal else "no answer")
        self.refusal = refusal
        self.unreached = unreached


class Ear(Protocol):
    """Who has a websocket."""

    def opened(self, socket: "Socket") -> None:
        """It is open; what is heard next is the first frame."""
        ...

    def heard(self, socket: "Socket", text: bytes) -> None:
        """The server said this."""
        ...

    def ended(self, socket: "Socket", code: int) -> None:
        """It was open, and has ended with this code."""
        ...


class Socket(asyncio.Protocol):
    """One connection."""

    __slots__ = ("_code", "_ear", "_got", "_opened", "_parts", "_transport")

    def __init__(self, ear: Ear) -> None:
        """Begin without a connection."""
        self._ear = ear
        self._transport: asyncio.Transport | None = None
        self._opened: asyncio.Future[None] | None = asyncio.get_running_loop().create_future()
        self._got = b""
        self._parts = b""
        self._code = CUT

    @classmethod
    async def open(
        cls,
        ground: Ground,
        target: tuple[str, str],
        key: Credentials,
        ear: Ear,
    ) -> None:
        """Open at `target` (path, query), signed, and tell `ear`; raises NotOpened."""
        path, query = target
        plain = {
            "host": ground.host,
            "upgrade": "websocket",
            "sec-websocket-version": "13",
            "sec-websocket-key": NONCE,
        }
        headers = signed(ground, "ecs", plain, b"", key, ("GET", path, query))
        request = head("GET", f"{path}?{query}", {**headers, "connection": "Upgrade"})
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(OPEN_SECONDS_MAX):
                _, socket = await loop.create_connection(lambda: cls(ear), ground.name, ground.port)
                await socket.shaken(request)
        except (OSError, TimeoutError) as error:
            raise NotOpened(unreached=True) from error

    @property
    def is_open(self) -> bool:
        """Whether frames come and go."""
        return self._opened is None and self._transport is not None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It is open, as far as TCP goes."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        self._got = self._got + data if self._got else data
        if self._opened is not None and not self._handshake(self._opened):
            return
        self._frames()

    def connection_lost(self, _error: Exception | None) -> None:
        """It is gone."""
        self._transport = None
        if self._opened is None:
            self._ear.ended(self, self._code)
        elif not self._opened.done():
            self._opened.set_exception(ConnectionResetError("closed within the handshake"))

    async def shaken(self, request: bytes) -> None:
        """Ask, and wait until the server has agreed."""
        assert self._transport is not None and self._opened is not None  # noqa: PT018 - both are new
        self._transport.write(request)
        await self._opened

    def send(self, text: str) -> None:
        """Say this; it is lost where nobody is there."""
        self._send(TEXT, text.encode())

    def close(self, code: int) -> None:
        """Say goodbye, and go."""
        self._code = code
        self._send(CLOSE, code.to_bytes(2, "big"))
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Be gone without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _handshake(self, opened: "asyncio.Future[None]") -> bool:
        """Whether the server has agreed."""
        said, end, rest = self._got.partition(HEAD_END)
        if not end:
            return False
        if said.startswith(SWITCHING):
            self._opened, self._got = None, rest
            if not opened.done():
                opened.set_result(None)
            self._ear.opened(self)
            return True
        length = int(said.lower().partition(LENGTH)[2].partition(b"\r\n")[0] or 0)
        if len(rest) >= length and not opened.done():
            opened.set_exception(NotOpened(decode_refusal(rest[:length])))
            if self._transport is not None:
                self._transport.close()
        return False

    def _frames(self) -> None:
        got, at = self._got, 0
        while len(got) - at > 1:
            size, start = got[at + 1] & 0x7F, at + 2
            if size > LENGTH_SHORT:
                start += 2 if size == LENGTH_MIDDLE else 8
                size = int.from_bytes(got[at + 2 : start], "big")
            if len(got) < start + size:
                break
            kind, at = got[at], start + size
            self._take(kind, got[start:at])
        self._got = got[at:]

    def _take(self, first: int, payload: bytes) -> None:
        kind = first & 0x0F
        if kind <= TEXT:
            self._parts += payload
            if first & FINAL:
                whole, self._parts = self._parts, b""
                self._ear.heard(self, whole)
        elif kind == PING:
            self._send(PONG, payload)
        elif kind == CLOSE:
            self._code = int.from_bytes(payload[:2], "big") or CUT
            self._send(CLOSE, payload[:2])
            if self._transport is not None:
                self._transport.close()

    def _send(self, kind: int, payload: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        size = len(payload)
        if size <= LENGTH_SHORT:
            start = bytes((FINAL | kind, FINAL | size))
        elif size < 1 << 16:
            start = bytes((FINAL | kind, FINAL | LENGTH_MIDDLE)) + size.to_bytes(2, "big")
        else:
            start = bytes((FINAL | kind, FINAL | LENGTH_LONG)) + size.to_bytes(8, "big")
        self._transport.write(start + NO_MASK + payload)
