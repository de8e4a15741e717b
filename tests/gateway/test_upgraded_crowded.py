"""Peers that say or take too much or too little: nobody else waits for them, and no memory fills."""

import asyncio
import contextlib
from itertools import pairwise

from websockets.frames import Opcode

from moorage.gateway.upgraded import TAKEN_AT_ONCE_BYTES
from tests.gateway.ground import until
from tests.gateway.upgraded_scene import Served, code_of, open_by, played, raw, said


def test_nothing_is_read_while_something_is_to_be_done_first():
    async def story(echo, port, session):
        gate = asyncio.Event()

        async def work(_):
            await gate.wait()

        echo.work = work
        socket = await open_by(session, port)
        for number in range(50):
            await socket.send_str(str(number))
        await until(lambda: echo.heard_so_far)
        await asyncio.sleep(0.05)
        assert echo.heard_so_far == ["0"]
        gate.set()
        await until(lambda: len(echo.heard_so_far) == 50)
        assert echo.heard_so_far == [str(number) for number in range(50)]
        await socket.close()

    played(story)


def test_a_peer_that_takes_nothing_is_given_up():
    async def story(echo, port, _):
        _, writer = await raw(port)
        writer.transport.pause_reading()
        for _ in range(400):
            echo.line.frame("x" * 65_536)
            await asyncio.sleep(0)
            if echo.ended_by:
                break
        assert echo.ended_by == [None]
        writer.transport.abort()

    played(story, Served)


def test_a_peer_that_pings_and_takes_no_answer_is_given_up():
    async def story(echo, port, _):
        _, writer = await raw(port)
        writer.transport.pause_reading()
        pings = said(Opcode.PING, bytes(125)) * 1000
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                writer.write(pings)
                await writer.drain()
                if echo.ended_by:
                    break
        await until(lambda: echo.ended_by == [None])
        writer.transport.abort()

    played(story, Served)


def test_a_peer_that_closes_and_takes_nothing_is_cut():
    async def story(echo, port, _):
        _, writer = await raw(port)
        writer.transport.pause_reading()
        while not echo.line._transport.get_write_buffer_size():
            echo.line.frame("x" * 65_536)
            await asyncio.sleep(0)
        writer.write(said(Opcode.CLOSE, b"\x03\xe9"))
        await until(lambda: echo.ended_by == [1001])
        await until(lambda: echo.line.is_gone)
        writer.transport.abort()

    played(story, Served)


def test_the_peers_close_is_heard_while_something_is_being_done():
    async def story(echo, port, _):
        gate = asyncio.Event()

        async def work(_):
            await gate.wait()

        echo.work = work
        reader, writer = await raw(port)
        writer.write(said(Opcode.TEXT, b"x") + said(Opcode.TEXT, b"waits"))
        await until(lambda: echo.heard_so_far)
        await reader.readexactly(2 + len("you said 1"))
        echo.line.close(4000)
        assert code_of(await reader.readexactly(4)) == 4000
        writer.write(said(Opcode.CLOSE, b"\x0f\xa0"))
        assert await asyncio.wait_for(reader.read(), 2) == b"", "long before it would be cut"
        gate.set()
        await asyncio.sleep(0.01)
        assert (echo.heard_so_far, echo.ended_by) == (["x"], [4000])
        writer.close()

    played(story)


def test_of_many_short_frames_each_turn_of_the_loop_takes_a_portion():
    frame = said(Opcode.TEXT, b"x")
    count = 3 * TAKEN_AT_ONCE_BYTES // len(frame)

    async def story(echo, port, _):
        loop, so_far = asyncio.get_running_loop(), []

        def turn():
            so_far.append(len(echo.heard_so_far))
            if len(echo.heard_so_far) < count:
                loop.call_soon(turn)

        _, writer = await raw(port)
        echo.line._transport.pause_reading()
        writer.write(frame * count)
        await asyncio.sleep(0.05)  # it all waits in the kernel, and comes in one read
        echo.line._transport.resume_reading()
        turn()
        await until(lambda: len(echo.heard_so_far) == count)
        await until(lambda: so_far[-1] == count)
        steps = [after - before for before, after in pairwise(so_far) if after > before]
        assert max(steps) <= TAKEN_AT_ONCE_BYTES // len(frame) + 1
        assert len(steps) >= 3
        writer.write(frame)
        await until(lambda: len(echo.heard_so_far) == count + 1)
        writer.transport.abort()

    played(story)


def test_what_has_come_is_taken_in_by_portions_before_more_is_read_and_after_work():
    gate = asyncio.Event()

    async def story(echo, port, session):
        async def work(frame):
            if frame == b"0":
                await gate.wait()

        echo.work = work
        _, writer = await raw(port)
        sent = [str(number).encode() for number in range(6_000)]
        writer.write(b"".join(said(Opcode.BINARY, one) for one in sent))
        await until(lambda: echo.heard_so_far)
        await asyncio.sleep(0.05)
        assert echo.heard_so_far == [b"0"]
        gate.set()
        await until(lambda: len(echo.heard_so_far) == len(sent))
        assert echo.heard_so_far == sent
        writer.transport.abort()

    played(story)
