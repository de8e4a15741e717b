"""The client against a server on the loopback that verifies with the server's own verifier."""

import asyncio
import threading
from collections.abc import Callable
from typing import Self

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import unused_port
from yarl import URL

from moorage.ground.chance import SeededChance
from moorage.ground.clock import ManualClock, SystemClock
from moorage.ground.fault import Fault, Internal, Serialization, Throttling, Validation
from moorage.ground.instant import as_datetime, minutes, seconds
from moorage.ground.record import Record
from moorage.wire import json11
from moorage.wire.client import (
    ANSWER_BYTES_MAX,
    ATTEMPTS_MAX,
    BACKOFF_SECONDS_MAX,
    AwsClient,
    BlockingClient,
    RemoteFault,
    Unreachable,
    backoff_seconds,
    host_of,
    remote_fault,
)
from moorage.wire.request import Request, Response
from moorage.wire.sigv4 import verify
from tests.wire.signing import CREDENTIALS, KEY, REGION, SECRET

PREFIX = "AmazonEC2ContainerServiceV20141113"


class Question(Record):
    cluster: str | None = None


class Answer(Record):
    cluster: str | None = None
    count: int | None = None


class Peer:
    """A server that answers each verified request with the next thing of a script.

    A script's things are faults, structs, or coroutines that answer the request themselves.
    """

    def __init__(self, *script: object, clock: object = None) -> None:
        self.script = list(script)
        self.clock = clock or SystemClock()
        self.seen: list[Request] = []
        self.runner: web.AppRunner
        self.endpoint = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        port = self.runner.addresses[0][1]
        self.endpoint = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()

    async def _answer(self, received: web.Request) -> web.StreamResponse:
        path, _, query = received.raw_path.partition("?")
        request = Request(
            method=received.method,
            path=path,
            query=query,
            headers=tuple(
                (name.decode().lower(), value.decode()) for name, value in received.raw_headers
            ),
            body=await received.read(),
        )
        self.seen.append(request)
        now = self.clock.now()
        date = as_datetime(now).strftime("%a, %d %b %Y %H:%M:%S GMT")
        try:
            verify(request, {KEY: SECRET}.get, now, "ecs", {REGION})
            step = self.script.pop(0)
        except Fault as fault:
            step = fault
        if callable(step):
            return await step(received)
        render = json11.render_fault if isinstance(step, Fault) else json11.render
        answer = render(step, "r-1")
        return web.Response(
            status=answer.status, headers={**dict(answer.headers), "date": date}, body=answer.body
        )


def _ask(*script: object, clock=None, server_clock=None, calls: int = 1) -> tuple[object, Peer]:
    """What the last of some calls gave or raised, and the server that was asked."""

    async def ask() -> tuple[object, Peer]:
        async with Peer(*script, clock=server_clock) as peer, ClientSession() as session:
            client = AwsClient(
                peer.endpoint, CREDENTIALS, REGION, session, clock or SystemClock(), SeededChance(1)
            )
            outcome: object = None
            for _ in range(calls):
                try:
                    outcome = await client.call(
                        "ecs", PREFIX, "ListClusters", Question(cluster="lab"), Answer
                    )
                except Exception as error:  # noqa: BLE001 - what came out is what is tested
                    outcome = error
            return outcome, peer

    return asyncio.run(ask())


async def _cut(received: web.Request) -> web.Response:
    received.transport.abort()
    return web.Response()


def test_a_call_is_signed_sent_and_decoded():
    outcome, peer = _ask(Answer(cluster="lab", count=3))
    assert outcome == Answer(cluster="lab", count=3)
    (seen,) = peer.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/", b'{"cluster":"lab"}')
    assert seen.get("x-amz-target") == f"{PREFIX}.ListClusters"
    assert seen.get("content-type") == "application/x-amz-json-1.1"


def test_a_refusal_comes_back_as_a_fault():
    outcome, peer = _ask(Validation("No such thing.", resourceIds=["a"]))
    assert isinstance(outcome, RemoteFault)
    assert (outcome.code, outcome.status) == ("ValidationException", 400)
    assert (outcome.message, outcome.request_id) == ("No such thing.", "r-1")
    assert outcome.members == {"resourceIds": ["a"]}
    assert str(outcome) == "ValidationException: No such thing."
    assert len(peer.seen) == 1


@pytest.mark.parametrize(
    "step", [Internal("Ours."), Throttling("Slower."), _cut], ids=["5xx", "throttling", "cut"]
)
def test_what_may_pass_is_tried_again(step):
    outcome, peer = _ask(step, step, Answer(count=1))
    assert outcome == Answer(count=1)
    assert len(peer.seen) == 3


def test_tries_are_bounded():
    outcome, peer = _ask(*[Internal("Ours.")] * (ATTEMPTS_MAX + 1))
    assert isinstance(outcome, RemoteFault)
    assert outcome.status == 500
    assert len(peer.seen) == ATTEMPTS_MAX


def test_an_answer_without_end_is_cut():
    chunk = b" " * (1 << 20)

    async def stream(received: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(received)
        for _ in range(ANSWER_BYTES_MAX // len(chunk) + 2):
            await answer.write(chunk)
        return answer

    outcome, peer = _ask(stream)
    assert isinstance(outcome, RemoteFault)
    assert outcome.code == "ResponseTooLarge"
    assert len(peer.seen) == 1


def test_an_answer_of_another_shape_is_a_fault():
    async def other(_: web.Request) -> web.Response:
        return web.json_response({"count": "many"})

    outcome, _ = _ask(other)
    assert isinstance(outcome, Serialization)


@pytest.mark.parametrize("offset", [minutes(20), minutes(-20)])
def test_a_wrong_clock_signs_by_the_servers(offset):
    """A host whose clock is off could otherwise never join, nor ask why."""
    server, ours = ManualClock(), ManualClock()
    ours.jump(offset)
    outcome, peer = _ask(Answer(count=1), Answer(count=2), clock=ours, server_clock=server, calls=2)
    assert outcome == Answer(count=2)
    assert len(peer.seen) == 3


def test_a_refused_clock_without_a_date_to_go_by():
    async def expired(_: web.Request) -> web.Response:
        body = {"__type": "InvalidSignatureException", "message": "Signature expired: x"}
        return web.json_response(body, status=400, headers={"date": "now"})

    outcome, peer = _ask(*[expired] * ATTEMPTS_MAX)
    assert isinstance(outcome, RemoteFault)
    assert outcome.code == "InvalidSignatureException"
    assert len(peer.seen) == ATTEMPTS_MAX


def test_a_newcomer_calls_unsigned():
    async def ask() -> Peer:
        async with Peer() as peer, ClientSession() as session:
            client = AwsClient(peer.endpoint, None, REGION, session, SystemClock(), SeededChance(1))
            with pytest.raises(RemoteFault, match="MissingAuthenticationTokenException"):
                await client.call("moorage", "Moorage", "Join", Question(), Answer)
            return peer

    (seen,) = asyncio.run(ask()).seen
    assert seen.get("authorization") is None
    assert seen.get("x-amz-target") == "Moorage.Join"


def test_nobody_there():
    async def ask() -> None:
        async with ClientSession() as session:
            client = AwsClient(
                f"http://127.0.0.1:{unused_port()}",
                CREDENTIALS, REGION, session, SystemClock(), SeededChance(1),
            )  # fmt: skip
            await client.call("ecs", PREFIX, "ListClusters", Question(), Answer)

    with pytest.raises(Unreachable, match="Could not connect to the endpoint URL"):
        asyncio.run(ask())


def test_a_websocket_handshake_is_accepted():
    async def greet(received: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(received)
        await socket.send_str("hello")
        return socket

    async def shake() -> str:
        async with Peer(greet) as peer, ClientSession() as session:
            client = AwsClient(
                peer.endpoint, CREDENTIALS, REGION, session, SystemClock(), SeededChance(1)
            )
            url = f"{peer.endpoint}/acs/ws?clusterArn=lab&dockerVersion=DockerVersion%3A+20.10%2Bd"
            headers = client.signed_headers("GET", url, "ecs")
            async with session.ws_connect(URL(url, encoded=True), headers=headers) as socket:
                return (await socket.receive()).data

    assert asyncio.run(shake()) == "hello"


def test_the_blocking_client_for_the_command_line():
    started, stop = threading.Event(), threading.Event()
    peer = Peer(Answer(count=7), Validation("No."))

    async def serve() -> None:
        async with peer:
            started.set()
            await asyncio.to_thread(stop.wait, 20)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert started.wait(10)
        client = BlockingClient(peer.endpoint, CREDENTIALS, REGION)
        call: Callable[[], Answer] = lambda: client.call(
            "ecs", PREFIX, "ListClusters", Question(), Answer
        )
        assert call() == Answer(count=7)
        with pytest.raises(RemoteFault, match=r"ValidationException: No\."):
            call()
    finally:
        stop.set()
        thread.join(10)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:4750/", "127.0.0.1:4750"),
        ("http://Host:80/x", "host"),
        ("https://host:443", "host"),
        ("https://host:80", "host:80"),
        ("http://[::1]:4750", "[::1]:4750"),
        ("wss://host:443/acs/ws?a=b", "host"),
        ("http://user:secret@host/", "host"),
    ],
)
def test_the_host_of_a_url(url, host):
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"__type":"com.amazonaws.ecs#ClusterNotFoundException","message":"m"}',
         "ClusterNotFoundException", "m"),
        (b'{"__type":"A:http://internal/","Message":"m"}', "A", "m"),
        (b"<html>Bad gateway</html>", "502", ""),
        (b"[]", "502", ""),
        (b"", "502", ""),
        (b'{"message":"\xff"}', "502", ""),
        (b'{"self":1,"code":2,"message":3}', "502", "3"),
    ],
)  # fmt: skip
def test_refusals_of_every_form_have_a_code(body, code, message):
    fault = remote_fault(Response(status=502, body=body))
    assert (fault.code, fault.status, fault.message) == (code, 502, message)


def test_waits_grow_and_are_bounded():
    class Highest(SeededChance):
        def uniform(self, low: float, high: float) -> float:
            return max(low, high)

    waits = [backoff_seconds(attempt, Highest(0)) for attempt in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[0] < waits[1]
    assert waits[-1] == BACKOFF_SECONDS_MAX
    assert all(0 <= backoff_seconds(3, SeededChance(seed)) <= waits[2] for seed in range(20))


def test_the_skew_does_not_outlive_its_cause():
    """The clock is set right later: the next refusal brings the signatures back to it."""
    server, ours = ManualClock(), ManualClock()
    ours.jump(minutes(20))

    async def ask() -> list[Answer]:
        async with (
            Peer(*[Answer(count=1)] * 2, clock=server) as peer,
            ClientSession() as session,
        ):
            client = AwsClient(peer.endpoint, CREDENTIALS, REGION, session, ours, SeededChance(1))
            first = await client.call("ecs", PREFIX, "ListClusters", Question(), Answer)
            ours.jump(seconds(-20 * 60))
            return [first, await client.call("ecs", PREFIX, "ListClusters", Question(), Answer)]

    assert asyncio.run(ask()) == [Answer(count=1)] * 2
