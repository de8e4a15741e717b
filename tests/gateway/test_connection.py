"""Our HTTP connection: bounds on headers, and bodies that the kernel sends."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from moorage.blob.filesystem import FilesystemBlobStore
from moorage.gateway.connection import HEADER_BYTES_MAX, Connection
from moorage.gateway.exchange import (
    LONG_BODIES_MIN,
    SHORT_BODY_BYTES,
    Intake,
    StreamedExchange,
    send_response,
)
from moorage.ground.digest import digest_of
from moorage.ground.fault import TooLarge, TooSlow, Unavailable
from moorage.wire.request import Response
from tests.gateway.listening import ask, listening

GET = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


class Hasty(Connection):
    header_seconds = 0.2


async def echo(scope, receive, send):
    try:
        request = await Intake(1000).request(scope, receive)
    except TooLarge as fault:
        await send_response(send, Response(status=fault.status, body=fault.message.encode()))
        return
    await send_response(send, Response(status=200, body=request.body))


def stored(folder, content):
    store = FilesystemBlobStore(folder)
    with store.stage("a" * 32) as stage:
        stage.append(content)
    digest = digest_of(content)
    store.commit("a" * 32, digest)
    return store, digest


def test_a_request_is_answered():
    async def story():
        async with listening(echo) as port:
            return await ask(
                port,
                GET.replace(b"GET", b"POST").replace(
                    b"\r\n\r\n", b"\r\ncontent-length: 5\r\n\r\nhello"
                ),
            )

    answer = asyncio.run(story())
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"hello")


class Written:
    """A transport that notes what is written to it."""

    def __init__(self, transport) -> None:
        self._transport = transport
        self.pieces: list[bytes] = []

    def __getattr__(self, name) -> object:
        return getattr(self._transport, name)

    def write(self, data):
        self.pieces.append(bytes(data))
        self._transport.write(data)


def test_an_answer_is_sent_as_one_piece():
    """A server that is killed has answered whole or not at all."""
    made = []

    class Noting(Connection):
        def connection_made(self, transport):
            made.append(Written(transport))
            super().connection_made(made[0])

    async def story():
        async with listening(echo, Noting) as port:
            return await ask(port, GET)

    answer = asyncio.run(story())
    assert made[0].pieces == [answer]


def test_a_head_does_not_wait_for_a_body_that_comes_later():
    async def story():
        more = asyncio.Event()

        async def slow(scope, receive, send):
            head = {"type": "http.response.start", "status": 200, "headers": []}
            await send(head)
            await more.wait()
            await send({"type": "http.response.body", "body": b"late"})

        async with listening(slow) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            more.set()
            body = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            return head, body

    head, body = asyncio.run(story())
    assert head.startswith(b"HTTP/1.1 200")
    assert b"late" in body


def test_a_client_that_is_slow_with_its_headers_is_closed():
    async def story():
        async with listening(echo, Hasty) as port:
            return await ask(port, b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ")

    assert asyncio.run(story()) == b""


def test_a_connection_that_is_left_answers_once_more_and_says_so():
    """A server that ends cuts no request that was on its way when it was told to."""
    made = []

    class Kept(Connection):
        def connection_made(self, transport):
            super().connection_made(transport)
            made.append(self)

    async def story():
        async with listening(echo, Kept) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            asked = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
            writer.write(asked)
            first = await reader.readuntil(b"\r\n\r\n")
            made[0].leave()
            await asyncio.sleep(0.05)
            writer.write(asked)
            last = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            return first, last

    first, last = asyncio.run(story())
    assert b"connection: close" not in first
    assert last.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in last


def test_a_client_that_says_nothing_is_closed():
    async def story():
        async with listening(echo, Hasty) as port:
            return await ask(port, b"")

    assert asyncio.run(story()) == b""


class Sender:
    """A client that sends a body in pieces, each when it is told to."""

    def __init__(self, *pieces) -> None:
        self._pieces = asyncio.Queue()
        self.push(*pieces)

    def push(self, *pieces):
        for piece in pieces:
            more = {"type": "http.request", "body": piece, "more_body": bool(piece)}
            self._pieces.put_nowait(more)

    def goes(self):
        self._pieces.put_nowait({"type": "http.disconnect"})

    async def receive(self):
        return await self._pieces.get()


SCOPE = {"type": "http", "raw_path": b"/", "query_string": b"", "headers": []}


def test_of_long_bodies_few_are_on_their_way_at_once_and_short_ones_always_pass():
    """Nobody knows yet who sends them: a thousand strangers must not fill the memory."""

    async def story():
        intake = Intake(1 << 40)
        long = b"x" * (SHORT_BODY_BYTES + 1)
        senders = [Sender(long) for _ in range(LONG_BODIES_MIN)]
        under_way = [asyncio.create_task(intake.request(SCOPE, s.receive)) for s in senders]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await intake.request(SCOPE, Sender(long, b"").receive)
        assert await intake.request(SCOPE, Sender(b"short", b"").receive)
        senders[0].push(b"")
        senders[1].goes()
        assert len((await under_way[0]).body) == len(long)
        assert await under_way[1] is None
        under_way[2].cancel()
        await asyncio.wait(under_way[2:3])
        for _ in range(2 * LONG_BODIES_MIN):
            assert await intake.request(SCOPE, Sender(long, b"").receive)
        under_way[3].cancel()

    asyncio.run(story())


def test_a_body_that_drips_is_given_up():
    async def story():
        async def drip():
            await asyncio.sleep(0.01)
            return {"type": "http.request", "body": b"x", "more_body": True}

        with pytest.raises(TooSlow, match=r"within 0\.1 s"):
            await Intake(1000, 0.1).request(SCOPE, drip)

    asyncio.run(story())


def test_too_many_headers_are_refused():
    async def story():
        headers = b"x-long: " + b"a" * HEADER_BYTES_MAX
        async with listening(echo) as port:
            return await ask(port, b"GET / HTTP/1.1\r\nhost: x\r\n" + headers + b"\r\n\r\n")

    assert asyncio.run(story()).startswith(b"HTTP/1.1 431")


def test_a_body_over_its_bound_is_refused():
    async def story():
        async with listening(echo) as port:
            text = (
                b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1001\r\n\r\n"
            )
            return await ask(port, text + b"a" * 1001)

    assert asyncio.run(story()).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "span", [range(0), range(1), range(3, 4000), range(10_000_000), range(5_000_000, 9_999_999)]
)
def test_a_file_is_sent_by_the_kernel_whole_and_in_spans(tmp_path, span):
    content = hashlib.shake_128(b"layer").digest(10_000_000)
    store, digest = stored(tmp_path, content)

    async def send_blob(scope, receive, send):
        with store.open(digest) as blob:
            await StreamedExchange(scope, receive, send).send_blob(
                200, {"x-of": "test"}, blob, span
            )

    async def story():
        async with listening(send_blob) as port:
            return await ask(port, GET)

    headers, _, body = asyncio.run(story()).partition(b"\r\n\r\n")
    assert f"content-length: {len(span)}".encode() in headers.lower()
    assert body == content[span.start : span.stop]


def test_a_connection_lives_on_after_a_file(tmp_path):
    store, digest = stored(tmp_path, b"layer" * 1000)

    async def send_blob(scope, receive, send):
        with store.open(digest) as blob:
            await StreamedExchange(scope, receive, send).send_blob(200, {}, blob, range(5000))

    async def story():
        async with listening(send_blob) as port:
            return await ask(port, GET.replace(b"connection: close\r\n", b"") + GET)

    assert asyncio.run(story()).count(b"layer") == 2000


def test_slow_clients_hold_no_thread(tmp_path):
    """More clients than threads that take nothing for a while, and one that is served meanwhile."""
    store, digest = stored(tmp_path, hashlib.shake_128(b"layer").digest(30_000_000))

    async def send_blob(scope, receive, send):
        with store.open(digest) as blob:
            await StreamedExchange(scope, receive, send).send_blob(200, {}, blob, range(blob.size))

    async def story():
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        async with listening(send_blob) as port:
            slow = [await asyncio.open_connection("127.0.0.1", port, limit=1024) for _ in range(4)]
            for _, writer in slow:
                writer.write(GET)
            answer = await ask(port, GET)
            for _, writer in slow:
                writer.transport.abort()
            return answer

    assert len(asyncio.run(story())) > 30_000_000
