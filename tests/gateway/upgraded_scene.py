"""A door that serves websockets to real sockets, what says there what it hears, and peers of bytes."""

import asyncio

import aiohttp
from websockets.frames import Close, Frame

from moorage.gateway.connection import Connection
from moorage.gateway.upgraded import UPGRADED_EXTENSION, Upgraded
from tests.gateway.listening import listening

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ASKED = (
    b"GET /acs/ws?a=b%20c HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: " + KEY + b"\r\n\r\n"
)


def said(opcode, payload=b"", *, final=True):
    """A client's frame."""
    return Frame(opcode, payload, fin=final).serialize(mask=True)


def code_of(frame):
    """The code of a server's frame that closes."""
    assert frame[:1] == b"\x88"
    return Close.parse(frame[2:]).code


class Echo:
    """Says what it hears; `slow` is to be done first. `ended` is how it ended."""

    def __init__(self) -> None:
        self.heard_so_far = []
        self.ended_by = []
        self.line = None
        self.work = None
        self.scope = None

    async def __call__(self, scope, receive, send) -> None:
        self.scope = scope
        assert (await receive())["type"] == "websocket.connect"
        if scope["query_string"] == b"refuse":
            headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
            start = {"type": "websocket.http.response.start", "status": 400, "headers": headers}
            await send(start)
            await send({"type": "websocket.http.response.body", "body": b"no"})
            return
        if scope["query_string"] == b"fail":
            raise RuntimeError("a bug")
        await send({"type": "websocket.accept"})
        scope["extensions"][UPGRADED_EXTENSION].listen(self.listen)

    def listen(self, line):
        self.line = line
        return self

    def heard(self, frame):
        self.heard_so_far.append(frame)
        self.line.frame(f"you said {len(frame)}")
        return self.work(frame) if self.work is not None else None

    def ended(self, code):
        self.ended_by.append(code)


class Impatient(Upgraded):
    bytes_waiting_max = 1 << 20
    close_seconds_max = 0.05
    is_gone = False

    def connection_lost(self, exc):
        super().connection_lost(exc)
        self.is_gone = True


class Served(Connection):
    upgraded = Impatient


def played(story, connection=Connection):
    async def run():
        echo = Echo()
        async with listening(echo, connection) as port, aiohttp.ClientSession() as session:
            await story(echo, port, session)

    asyncio.run(run())


async def open_by(session, port, path="/acs/ws"):
    return await session.ws_connect(f"http://127.0.0.1:{port}{path}", max_msg_size=0)


async def raw(port):
    """A connection that was accepted, for bytes of one's own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ASKED)
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    return reader, writer
