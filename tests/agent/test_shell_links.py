"""The agent's websockets: signed, answered, dropped when silent, and made again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from moorage.acs.codec import Refusal, decode_from_agent, encode, encode_refusal
from moorage.acs.messages import (
    AckRequest,
    HeartbeatAckRequest,
    HeartbeatMessage,
    LogsChunk,
    ServerMessage,
)
from moorage.acs.telemetry import (
    Published,
    PublishInstanceStatusRequest,
    answer_to,
    decode_publication,
)
from moorage.agent.control import Application, ControlPlane, Registration, join
from moorage.agent.dial import Dialler, NotOpened, places_of, websocket_url
from moorage.agent.identity import Identity
from moorage.agent.links import AcsLink
from moorage.agent.options import OptionsRefused
from moorage.agent.shell import forever
from moorage.agent.telemetry import TcsLink
from moorage.agent.trust import Trust
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock
from moorage.ground.instant import Moment
from moorage.wire.client import RemoteFault, Unreachable
from moorage.wire.request import Request
from moorage.wire.sigv4 import verify
from tests.agent.rig import INSTANCE

WHO = Identity(
    access_key_id="HOSTKEY",
    secret_access_key="hidden",
    account="000000000001",
    region="us-east-1",
    cluster="default",
    name="h1",
)


class Server:
    """One end of a websocket that a test holds; checks every signature."""

    def __init__(self) -> None:
        self.url = ""
        self.elsewhere = ""
        self.refusal: Refusal | None = None
        self.queries: list[dict[str, str]] = []
        self.calls: list[tuple[str, dict[str, object]]] = []
        self.answers: dict[str, tuple[int, object]] = {}
        self.sockets: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()
        self.frames: asyncio.Queue[str] = asyncio.Queue()

    async def api(self, request: web.Request) -> web.Response:
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        if operation != "Join":
            await self._check(request)
        self.calls.append((operation, await request.json()))
        endpoint = self.elsewhere or self.url
        found = {"endpoint": f"{endpoint}/acs", "telemetryEndpoint": f"{endpoint}/tcs"}
        status, body = self.answers.get(operation, (200, found))
        return web.json_response(body, status=status)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        await self._check(request)
        self.queries.append(dict(request.query))
        if self.refusal is not None:
            return web.Response(status=400, text=encode_refusal(self.refusal))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.put_nowait(socket)
        async for message in socket:
            self.frames.put_nowait(message.data)
        return socket

    async def _check(self, request: web.Request) -> None:
        raw = Request(
            method=request.method,
            path=request.rel_url.raw_path,
            query=request.rel_url.raw_query_string,
            headers=tuple((n.lower(), v) for n, v in request.headers.items()),
            body=await request.read(),
        )
        now = SystemClock().now()
        service = "ecr" if "ContainerRegistry" in request.headers.get("X-Amz-Target", "") else "ecs"
        verified = verify(raw, {"HOSTKEY": "hidden"}.get, now, service, ["us-east-1"])
        assert verified.access_key_id == "HOSTKEY"


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Server, ControlPlane, Dialler]]:
    server = Server()
    application = web.Application()
    application.router.add_post("/", server.api)
    application.router.add_get("/{which}/ws", server.socket)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        control = ControlPlane(server.url, WHO, session, SystemClock(), SystemChance())
        dialler = Dialler(control, INSTANCE)
        try:
            yield server, control, dialler
        finally:
            await dialler.aclose()
            await runner.cleanup()


class Heard:
    def __init__(self) -> None:
        self.messages: asyncio.Queue[ServerMessage] = asyncio.Queue()
        self.times = 0

        self.closings = 0
        self.refusals: asyncio.Queue[Refusal] = asyncio.Queue()
        self.dialled_at = 0

    def opened(self, dialled_at: Moment) -> None:
        self.times += 1
        assert self.dialled_at < dialled_at <= SystemClock().boottime()
        self.dialled_at = dialled_at

    def closed(self) -> None:
        self.closings += 1

    def refused(self, refusal: Refusal) -> None:
        self.refusals.put_nowait(refusal)

    def hear(self, message: ServerMessage) -> None:
        self.messages.put_nowait(message)


@asynccontextmanager
async def linked(dialler: Dialler) -> AsyncIterator[tuple[AcsLink, Heard]]:
    heard = Heard()
    link = AcsLink(
        lambda: dialler.open_acs("20.10.24", first=heard.times == 0, timeline=7),
        heard,
        SystemClock(),
        SystemChance(),
    )
    link.begin()
    running = asyncio.ensure_future(forever(link.step))
    try:
        yield link, heard
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await link.aclose()


def run(story: Callable[[Server, ControlPlane, Dialler], object]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20), serving() as (server, control, dialler):
            await story(server, control, dialler)  # type: ignore[misc]

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("told", "own", "places"),
    [
        ("http://a:1/acs", "http://a:1", ("http://a:1/acs",)),
        ("http://a:1/acs", "http://b:2", ("http://a:1/acs", "http://b:2/acs")),
        ("https://a:1/acs", "https://b:2", ("https://a:1/acs", "https://b:2/acs")),
        ("https://a:1/acs", "http://a:1", ("https://a:1/acs",)),
        ("http://a:1/acs", "https://a:1", ("https://a:1/acs",)),
        ("http://a:1/acs", "https://b:2", ("https://b:2/acs",)),
        ("ws://a:1/acs", "https://b:2", ("https://b:2/acs",)),
    ],
)
def test_who_came_by_tls_never_leaves_it(told: str, own: str, places: tuple[str, ...]) -> None:
    assert places_of(told, own) == places


def test_commands_come_and_words_go() -> None:
    async def story(server: Server, _control: ControlPlane, dialler: Dialler) -> None:
        async with linked(dialler) as (link, heard):
            socket = await server.sockets.get()
            assert server.queries[0]["containerInstanceArn"] == INSTANCE
            assert server.queries[0]["sendCredentials"] == "true"
            assert server.queries[0]["dockerVersion"] == "DockerVersion: 20.10.24"
            assert server.queries[0]["timeline"] == "7"
            assert server.queries[0]["clientToken"] == "", "it has not registered"
            await socket.send_str(encode(HeartbeatMessage(message_id="m1", healthy=True)))
            await socket.send_str("nonsense")
            assert await heard.messages.get() == HeartbeatMessage(message_id="m1", healthy=True)
            link.say(HeartbeatAckRequest(message_id="m1"))
            link.say(AckRequest(message_id="m2"))
            said = [decode_from_agent(await server.frames.get()) for _ in range(2)]
            assert said == [HeartbeatAckRequest(message_id="m1"), AckRequest(message_id="m2")]

    run(story)


def test_a_cut_connection_is_made_again_without_asking_for_credentials() -> None:
    async def story(server: Server, _control: ControlPlane, dialler: Dialler) -> None:
        async with linked(dialler) as (_link, heard):
            socket = await server.sockets.get()
            await socket.close(code=1012)
            again = await server.sockets.get()
            await again.send_str(encode(HeartbeatMessage(message_id="m2")))
            assert await heard.messages.get() == HeartbeatMessage(message_id="m2")
            assert (heard.times, heard.closings) == (2, 1)
            assert [q["sendCredentials"] for q in server.queries] == ["true", "false"]

    run(story)


def test_what_is_said_without_a_connection_is_forgotten() -> None:
    async def story(server: Server, _control: ControlPlane, dialler: Dialler) -> None:
        server.refusal = Refusal(name="ServerException", text="busy")
        async with linked(dialler) as (link, _heard):
            await asyncio.sleep(0.1)
            link.say(AckRequest(message_id="lost"))
            assert await link.say_in_turn(LogsChunk(request_id="r")) is False
            server.refusal = None
            await server.sockets.get()
            await asyncio.sleep(0.1)
            assert server.frames.empty()

    run(story)


def test_a_refused_handshake_tells_its_reason() -> None:
    async def story(server: Server, _control: ControlPlane, dialler: Dialler) -> None:
        server.refusal = Refusal(name="InactiveInstanceException", text="deregistered")
        with pytest.raises(NotOpened, match="deregistered") as refusal:
            await dialler.open_acs("20", first=True, timeline=7)
        assert refusal.value.refusal == server.refusal
        async with linked(dialler) as (_link, heard):
            assert await heard.refusals.get() == server.refusal
            assert (heard.times, heard.closings) == (0, 0)

    run(story)


def test_a_refused_look_for_the_websockets_tells_its_reason_too() -> None:
    async def story(server: Server, control: ControlPlane, dialler: Dialler) -> None:
        answer = {"__type": "ReplacedKeyException", "message": "join with a new token"}
        server.answers["DiscoverPollEndpoint"] = (400, answer)
        with pytest.raises(NotOpened) as refused:
            await dialler.open_acs("20", first=True, timeline=0)
        assert refused.value.refusal == Refusal(
            name="ReplacedKeyException", text="join with a new token"
        )
        del server.answers["DiscoverPollEndpoint"]
        found = {"containerInstance": {"containerInstanceArn": INSTANCE}}
        server.answers["RegisterContainerInstance"] = (200, found)
        await control.register(Registration(attributes=(), resources=(), client_token="t"))
        opened = await dialler.open_acs("20", first=True, timeline=0)
        assert server.queries[-1]["clientToken"] == "t"
        await opened.socket.close()

    run(story)


def test_a_name_of_the_server_that_is_unknown_here_is_no_obstacle() -> None:
    async def story(server: Server, _control: ControlPlane, dialler: Dialler) -> None:
        server.elsewhere = "http://127.0.0.1:1"
        opened = await dialler.open_acs("20", first=True, timeline=7)
        assert opened.url.startswith(server.url.replace("http", "ws"))
        await opened.socket.close()

    run(story)


def test_a_server_that_is_away_is_no_connection() -> None:
    async def story(server: Server, _control: ControlPlane, dialler: Dialler) -> None:
        server.answers["DiscoverPollEndpoint"] = (403, {"__type": "AccessDeniedException"})
        with pytest.raises(NotOpened, match="AccessDenied"):
            await dialler.open_tcs("20")

    run(story)


def test_telemetry_frames_are_signed_for_their_socket() -> None:
    async def story(server: Server, control: ControlPlane, dialler: Dialler) -> None:
        link = TcsLink(
            lambda: dialler.open_tcs("20.10.24"),
            lambda url, body: control.client.signed_headers("GET", url, "ecs", body=body),
            SystemClock(),
            SystemChance(),
        )
        message = PublishInstanceStatusRequest(timestamp=1.5)
        link.publish(message)
        running = asyncio.ensure_future(forever(link.step))
        socket = await server.sockets.get()
        frame = await server.frames.get()
        published = decode_publication(frame)
        assert isinstance(published, Published)
        assert published.message == message
        assert frame.startswith(("Authorization: ", "Host: ", "X-Amz-Date: "))
        query = dict(server.queries[0])
        assert query["containerInstance"] == INSTANCE
        raw = Request(
            method="GET",
            path="/tcs/ws",
            query=websocket_url(server.url, query).partition("?")[2],
            headers=tuple(published.headers.items()),
            body=frame.partition("\r\n\r\n")[2].encode(),
        )
        now = SystemClock().now()
        verify(raw, {"HOSTKEY": "hidden"}.get, now, "ecs", ["us-east-1"])
        await socket.send_str(answer_to(message))
        # How the host is opens each connection: the server may have missed it on the last one.
        await socket.close()
        async with asyncio.timeout(5):
            again = decode_publication(await server.frames.get())
        assert isinstance(again, Published)
        assert again.message == message
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run(story)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://h:1", "ws://h:1/ws?a=b%20c%3A"),
        ("https://h/acs/", "wss://h/acs/ws?a=b%20c%3A"),
    ],
)
def test_where_a_websocket_is(endpoint: str, url: str) -> None:
    assert websocket_url(endpoint, {"a": "b c:"}) == url


def test_joining_makes_an_identity_or_says_why_not(tmp_path: Path) -> None:
    async def story(server: Server, _control: ControlPlane, _dialler: Dialler) -> None:
        given = {
            "accessKeyId": "K",
            "secretAccessKey": "S",
            "accountId": "000000000001",
            "region": "us-east-1",
            "cluster": "web",
            "names": ["moor:4750"],
        }
        server.answers["Join"] = (200, given)
        async with aiohttp.ClientSession() as session:
            trust = Trust(tmp_path, server.url)
            wanted = Application(token="T", name="h1")
            joined = await join(server.url, wanted, trust, session)
            assert (joined.access_key_id, joined.cluster, joined.names) == (
                "K",
                "web",
                ("moor:4750",),
            )
            assert server.calls == [("Join", {"token": "T", "name": "h1"})]
            server.answers["Join"] = (
                400,
                {"__type": "InvalidParameterException", "message": "used"},
            )
            with pytest.raises(OptionsRefused, match="used"):
                await join(server.url, wanted, trust, session)
            server.answers["Join"] = (503, {"__type": "ServiceUnavailableException"})
            with pytest.raises(RemoteFault):
                await join(server.url, wanted, trust, session)
            with pytest.raises(Unreachable):
                await join("http://127.0.0.1:1", wanted, trust, session)

    run(story)


def test_registration_gives_an_instance() -> None:
    async def story(server: Server, control: ControlPlane, _dialler: Dialler) -> None:
        server.answers["RegisterContainerInstance"] = (
            200,
            {"containerInstance": {"containerInstanceArn": INSTANCE}},
        )
        registration = Registration(attributes=(), resources=(), client_token="t")
        assert await control.register(registration) == INSTANCE
        assert "containerInstanceArn" not in server.calls[0][1]

    run(story)
