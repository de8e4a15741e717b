"""Websockets over real sockets: the handshake, what is said, and each way to end."""

import asyncio
import contextlib

import aiohttp
import pytest
from websockets.frames import Opcode

from moorage.gateway.upgraded import FRAME_BYTES_MAX, UPGRADED_EXTENSION
from tests.gateway.ground import until
from tests.gateway.listening import ask, listening
from tests.gateway.upgraded_scene import (
    ASKED,
    KEY,
    Echo,
    Served,
    code_of,
    open_by,
    played,
    raw,
    said,
)


def test_messages_go_both_ways_whatever_their_length():
    async def story(echo, port, session):
        socket = await open_by(session, port, "/acs/%C3%A4?x=%20y")
        assert (echo.scope["path"], echo.scope["query_string"]) == ("/acs/ä", b"x=%20y")
        for length in (0, 200, 70_000, 1_000_000):
            await socket.send_str("ä" * length)
            assert await socket.receive_str() == f"you said {length}"
        await socket.send_bytes(b"\xff\0")
        await socket.receive_str()
        assert echo.heard_so_far[-1] == b"\xff\0"
        await socket.ping(b"!")
        await socket.send_str("on")
        assert await socket.receive_str() == "you said 2"
        await socket.close(code=1001)
        await until(lambda: echo.ended_by == [1001])

    played(story)


def test_a_refusal_is_a_plain_answer():
    async def story(echo, port, session):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await open_by(session, port, "/acs/ws?refuse")
        assert refused.value.status == 400
        answer = await ask(port, ASKED.replace(b"a=b%20c", b"refuse"))
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert answer.endswith(b"\r\n\r\nno")
        assert echo.line is None

    played(story)


def test_an_application_that_fails_is_a_500(caplog):
    async def story(_, port, __):
        answer = await ask(port, ASKED.replace(b"a=b%20c", b"fail"))
        assert answer.startswith(b"HTTP/1.1 500 ")

    played(story)
    assert "a fault of ours" in caplog.text


@pytest.mark.parametrize(
    ("was", "now", "status"),
    [
        (b"version: 13", b"version: 8", b"400"),
        (KEY, b"short", b"400"),
        (b"GET", b"PUT", b"405"),
        (b"sec-websocket-version: 13\r\n", b"", b"400"),
    ],
)
def test_a_handshake_that_is_none(was, now, status):
    async def story(echo, port, _):
        answer = await ask(port, ASKED.replace(was, now))
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert echo.scope is None

    played(story)


@pytest.mark.parametrize(
    ("bytes_", "code"),
    [
        (b"\x81\x01x", 1002),
        (said(Opcode.TEXT, b"\xff"), 1007),
        (said(Opcode.CLOSE, b"\x03"), 1002),
        (b"\x81\xff" + (1 << 40).to_bytes(8, "big"), 1009),
    ],
)
def test_a_peer_that_breaks_the_protocol_is_closed_with_the_code(bytes_, code):
    async def story(echo, port, _):
        reader, writer = await raw(port)
        writer.write(bytes_)
        assert code_of(await asyncio.wait_for(reader.read(), 5)) == code
        await until(lambda: echo.ended_by == [code])
        writer.close()

    played(story)


def test_a_message_in_several_frames_with_a_ping_in_between():
    async def story(echo, port, _):
        reader, writer = await raw(port)
        pieces = (
            said(Opcode.TEXT, b"a\xc3", final=False),
            said(Opcode.PING, b"!"),
            said(Opcode.PONG, b"unasked"),
            said(Opcode.CONT, b"", final=False),
            said(Opcode.CONT, b"\xa4"),
            said(Opcode.BINARY, b"d"),
        )
        for byte in b"".join(pieces):
            writer.write(bytes((byte,)))
            await writer.drain()
        assert await reader.readexactly(3) == b"\x8a\x01!"
        await until(lambda: len(echo.heard_so_far) == 2)
        assert echo.heard_so_far == ["aä", b"d"]
        writer.close()

    played(story)


def test_a_message_is_not_endless_by_its_pieces():
    async def story(echo, port, _):
        _, writer = await raw(port)
        piece = said(Opcode.BINARY, bytes(FRAME_BYTES_MAX // 4), final=False)
        more = said(Opcode.CONT, bytes(FRAME_BYTES_MAX // 4), final=False)
        writer.write(piece + more * 4)
        await until(lambda: echo.ended_by == [1009])
        assert echo.heard_so_far == []
        writer.close()

    played(story)


def test_a_connection_that_is_cut_is_told_once():
    async def story(echo, port, _):
        _, writer = await raw(port)
        writer.transport.abort()
        await until(lambda: echo.ended_by)
        await asyncio.sleep(0.01)
        assert echo.ended_by == [1006]
        echo.line.frame("nobody hears this")
        echo.line.close(1000)
        await asyncio.sleep(0.01)
        assert echo.ended_by == [1006]

    played(story)


def test_a_close_of_ours_waits_for_the_peers_and_hears_nothing_more():
    async def story(echo, port, _):
        reader, writer = await raw(port)
        echo.line.close(4000)
        echo.line.frame("too late")
        assert code_of(await reader.readexactly(4)) == 4000
        assert echo.ended_by == [4000]
        writer.write(said(Opcode.TEXT, b"too late") + said(Opcode.CLOSE, b"\x0f\xa0"))
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert (echo.ended_by, echo.heard_so_far) == ([4000], [])
        writer.close()

    played(story)


def test_a_peer_that_does_not_close_is_cut():
    async def story(echo, port, _):
        reader, writer = await raw(port)
        echo.line.close(4001)
        with contextlib.suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 5)
        assert echo.ended_by == [4001]
        writer.close()

    played(story, Served)


def test_a_work_that_fails_ends_the_connection(caplog):
    async def story(echo, port, session):
        async def work(_):
            raise RuntimeError("a bug")

        echo.work = work
        socket = await open_by(session, port)
        await socket.send_str("x")
        await until(lambda: echo.ended_by == [1006])

    played(story)
    assert "a fault of ours" in caplog.text


def test_nobody_listens_for_a_peer_that_went_away_before_it_was_answered():
    class Late(Echo):
        async def __call__(self, scope, receive, send) -> None:
            scope["extensions"][UPGRADED_EXTENSION]._transport.abort()
            await asyncio.sleep(0.01)
            await super().__call__(scope, receive, send)

    async def run():
        echo = Late()
        async with listening(echo) as port:
            with contextlib.suppress(ConnectionError):
                assert await ask(port, ASKED) == b""
            await until(lambda: echo.scope is not None)
            await asyncio.sleep(0.01)
            assert echo.line is None

    asyncio.run(run())
