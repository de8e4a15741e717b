"""The registry proxy of a host: reads only, for its engine only, and holds no body in memory."""

import asyncio
import base64
import gzip
import json
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web

from moorage.agent.proxy import (
    STRANGERS_MAX,
    USERNAME,
    RegistryProxy,
    loopback_address,
    registry_names,
)
from moorage.agent.runtime.docker import DockerRuntime
from moorage.agent.runtime.port import CannotPull, ContainerSpec, PullRequest
from moorage.agent.runtime.reference import parse_reference
from moorage.agent.tokens import NoToken, RegistryTokens
from moorage.ground.chance import SystemChance
from moorage.ground.clock import ManualClock, SystemClock
from moorage.ground.digest import digest_of
from moorage.ground.instant import epoch, hours, later, minutes
from moorage.shapes.ecr.authorization import AuthorizationData, GetAuthorizationTokenResponse
from tests.engine import busybox_layer

ACCOUNT, REGION = "123456789012", "us-east-1"
LAYER = gzip.compress(busybox_layer({}), 1)
RAW = digest_of(busybox_layer({}))
CONFIG = json.dumps(
    {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [str(RAW)]},
    }
).encode()
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": len(CONFIG),
            "digest": str(digest_of(CONFIG)),
        },
        "layers": [
            {
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "size": len(LAYER),
                "digest": str(digest_of(LAYER)),
            }
        ],
    }
).encode()
DIGEST = str(digest_of(MANIFEST))
BIG_BYTES = 96 << 20


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(user, password)}


class Registry:
    """What the proxy reads from: one image, and a large blob that is never whole anywhere."""

    def __init__(self) -> None:
        self.good = {"TOKEN-1"}
        self.asked: list[tuple[str, str, str]] = []
        self.cut = False
        blobs = {str(digest_of(content)): content for content in (LAYER, CONFIG)}
        self.found = {f"/v2/{ACCOUNT}/{REGION}/web/blobs/{d}": c for d, c in blobs.items()}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        self.asked.append((request.method, request.path, given))
        user, _, token = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")
        if user != "AWS" or token not in self.good:
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic realm=x"})
        if request.path == "/v2/big":
            return await self.big(request)
        if "/manifests/" in request.path and request.path.endswith((":1", "/1", DIGEST)):
            headers = {"Docker-Content-Digest": DIGEST}
            kind = json.loads(MANIFEST)["mediaType"]
            return web.Response(body=MANIFEST, headers=headers, content_type=kind)
        if request.path not in self.found:
            body = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
            return web.json_response(body, status=404)
        return web.Response(body=self.found[request.path])

    async def big(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(BIG_BYTES)})
        await response.prepare(request)
        piece = b"x" * (1 << 20)
        for number in range(BIG_BYTES >> 20):
            if self.cut and number == 8:
                assert request.transport is not None
                request.transport.abort()
                return response
            await response.write(piece)
        return response


def asking(tokens: list[str]) -> Callable[[], Awaitable[GetAuthorizationTokenResponse]]:
    async def ask() -> GetAuthorizationTokenResponse:
        token = base64.b64encode(f"AWS:{tokens.pop(0)}".encode()).decode()
        ends = epoch(later(SystemClock().now(), hours(12)))
        entry = AuthorizationData(authorization_token=token, expires_at=ends)
        return GetAuthorizationTokenResponse(authorization_data=[entry])

    return ask


@asynccontextmanager
async def serving(
    registry: Registry, tokens: list[str]
) -> AsyncIterator[tuple[RegistryProxy, aiohttp.ClientSession]]:
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", registry.serve)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    upstream = f"http://127.0.0.1:{runner.addresses[0][1]}"
    held = RegistryTokens(asking(tokens), SystemClock())
    proxy = RegistryProxy(upstream, held, loopback_address("h1"), SystemChance())
    await proxy.start()
    try:
        own = basic(USERNAME, proxy.password)
        async with aiohttp.ClientSession(headers=own) as session:
            yield proxy, session
    finally:
        await proxy.aclose()
        await runner.cleanup()


def story(tell, tokens: list[str] | None = None, registry: Registry | None = None) -> Registry:
    registry = registry or Registry()

    async def whole() -> None:
        async with serving(registry, tokens or ["TOKEN-1"]) as (proxy, session):
            await tell(proxy, session)

    asyncio.run(whole())
    return registry


@pytest.mark.parametrize("auth", [{}, basic(USERNAME, "guess"), basic("AWS", "TOKEN-1")])
def test_who_does_not_know_the_password_gets_nothing(auth) -> None:
    async def tell(proxy: RegistryProxy, _session: aiohttp.ClientSession) -> None:
        async with aiohttp.ClientSession(headers=auth) as stranger:
            for path in ("/v2/", f"/v2/{ACCOUNT}/{REGION}/web/manifests/1"):
                answer = await stranger.get(f"http://{proxy.host}{path}")
                assert answer.status == 401
                assert "Basic" in answer.headers["WWW-Authenticate"]

    assert story(tell).asked == []


@asynccontextmanager
async def half_requests(proxy: RegistryProxy, count: int) -> AsyncIterator[list[socket.socket]]:
    host, _, port = proxy.host.rpartition(":")
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        made = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in made:
            one.setblocking(False)
            await loop.sock_connect(one, (host, int(port)))
            await loop.sock_sendall(one, b"GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ")
        yield made


async def is_shown_out(stranger: socket.socket) -> bool:
    async with asyncio.timeout(10):
        with suppress(ConnectionResetError):
            return await asyncio.get_running_loop().sock_recv(stranger, 1) == b""
    return True


def test_whoever_does_not_show_the_password_is_shown_out_after_a_while() -> None:
    # Any user of the machine may connect here.
    async def tell(proxy: RegistryProxy, session: aiohttp.ClientSession) -> None:
        proxy._door.stranger_seconds = 0.2
        async with half_requests(proxy, 1) as idle, session.get(f"http://{proxy.host}/v2/big") as a:
            assert await is_shown_out(idle[0])
            assert sum([len(piece) async for piece in a.content.iter_any()]) == BIG_BYTES

    story(tell)


def test_strangers_do_not_keep_the_engine_out() -> None:
    async def tell(proxy: RegistryProxy, session: aiohttp.ClientSession) -> None:
        async with half_requests(proxy, 10 * STRANGERS_MAX) as idle:
            assert (await session.get(f"http://{proxy.host}/v2/")).status == 200
            assert all([await is_shown_out(one) for one in idle[: -STRANGERS_MAX - 1]])

    story(tell)


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_it_only_reads(method: str) -> None:
    async def tell(proxy: RegistryProxy, session: aiohttp.ClientSession) -> None:
        answer = await session.request(method, f"http://{proxy.host}/v2/x/blobs/uploads/")
        assert answer.status == 405

    assert story(tell).asked == []


def test_only_the_registry_is_behind_it() -> None:
    async def tell(proxy: RegistryProxy, session: aiohttp.ClientSession) -> None:
        for path in ("/", "/healthz", "/v2", "/v1/x"):
            assert (await session.get(f"http://{proxy.host}{path}")).status == 405
        assert (await session.get(f"http://{proxy.host}/v2/")).status == 200

    assert story(tell).asked == []


def test_the_hosts_own_token_goes_up_and_the_answer_comes_down() -> None:
    async def tell(proxy: RegistryProxy, session: aiohttp.ClientSession) -> None:
        url = f"http://{proxy.host}/v2/{ACCOUNT}/{REGION}/web/manifests/1"
        got = await session.get(url)
        assert (got.status, await got.read()) == (200, MANIFEST)
        head = await session.head(url)
        assert head.headers["Docker-Content-Digest"] == DIGEST
        assert head.headers["Content-Length"] == str(len(MANIFEST))
        missing = await session.get(f"{url}2")
        assert missing.status == 404
        assert (await missing.json())["errors"][0]["code"] == "MANIFEST_UNKNOWN"

    own = "Basic " + base64.b64encode(b"AWS:TOKEN-1").decode()
    assert {given for _, _, given in story(tell).asked} == {own}


def test_a_token_that_is_refused_is_renewed_once() -> None:
    registry = Registry()
    registry.good = {"TOKEN-2"}

    async def tell(proxy: RegistryProxy, session: aiohttp.ClientSession) -> None:
        url = f"http://{proxy.host}/v2/{ACCOUNT}/{REGION}/web/manifests/1"
        assert (await session.get(url)).status == 200
        registry.good = set()
        assert (await session.get(url)).status == 403

    story(tell, ["TOKEN-1", "TOKEN-2", "TOKEN-3"], registry)
    assert len(registry.asked) == 4


def test_large_bodies_pass_through_without_being_held() -> None:
    async def tell(proxy: RegistryProxy, session: aiohttp.ClientSession) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer = await session.get(f"http://{proxy.host}/v2/big")
        size = 0
        async for piece in answer.content.iter_any():
            size += len(piece)
        assert size == BIG_BYTES
        grown_kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown_kibibytes < (BIG_BYTES >> 10) // 2

    story(tell)


def test_a_body_that_is_cut_is_not_taken_for_whole() -> None:
    registry = Registry()
    registry.cut = True

    async def tell(proxy: RegistryProxy, session: aiohttp.ClientSession) -> None:
        answer = await session.get(f"http://{proxy.host}/v2/big")
        with pytest.raises(aiohttp.ClientError):
            await answer.read()

    story(tell, registry=registry)


def test_a_registry_that_is_away_is_an_error_of_the_gateway() -> None:
    async def whole() -> None:
        tokens = RegistryTokens(asking(["TOKEN-1"]), SystemClock())
        proxy = RegistryProxy("http://127.0.0.1:1", tokens, "127.0.0.1", SystemChance())
        await proxy.start()
        own = basic(USERNAME, proxy.password)
        async with aiohttp.ClientSession(headers=own) as session:
            answer = await session.get(f"http://{proxy.host}/v2/x/manifests/1")
            assert answer.status == 502
            assert (await answer.json())["errors"][0]["code"] == "UNAVAILABLE"
        await proxy.aclose()

    asyncio.run(whole())


@pytest.mark.parametrize(
    ("text", "located"),
    [
        ("moor:4750/web:1", f"HOST/{ACCOUNT}/{REGION}/web:1"),
        ("moor:4750/team/web", f"HOST/{ACCOUNT}/{REGION}/team/web:latest"),
        (f"moor:4750/web@{DIGEST}", f"HOST/{ACCOUNT}/{REGION}/web@{DIGEST}"),
        (f"moor:4750/web:1@{DIGEST}", f"HOST/{ACCOUNT}/{REGION}/web@{DIGEST}"),
        ("moor:4750/210987654321/eu-west-1/web:1", "HOST/210987654321/eu-west-1/web:1"),
    ],
)
def test_a_logical_name_is_located_in_account_and_region(text: str, located: str) -> None:
    tokens = RegistryTokens(asking([]), SystemClock())
    proxy = RegistryProxy("http://x", tokens, "127.0.0.1", SystemChance())
    proxy.host = "HOST"
    reference = parse_reference(text)
    assert reference is not None
    assert proxy.locate(reference, ACCOUNT, REGION) == located


def test_names_and_addresses() -> None:
    assert registry_names("http://10.0.0.1:4750", ("moor:4750",)) == {"10.0.0.1:4750", "moor:4750"}
    assert loopback_address("h1") == loopback_address("h1")
    assert len({loopback_address(f"h{n}") for n in range(100)}) > 95
    assert all(loopback_address(f"h{n}").startswith("127.") for n in range(100))


def test_a_token_is_kept_until_shortly_before_its_end() -> None:
    async def whole() -> None:
        clock = ManualClock()
        asked: list[int] = []

        async def ask() -> GetAuthorizationTokenResponse:
            asked.append(1)
            ends = epoch(later(clock.now(), hours(12)))
            entry = AuthorizationData(authorization_token=f"T{len(asked)}", expires_at=ends)
            return GetAuthorizationTokenResponse(authorization_data=[entry])

        tokens = RegistryTokens(ask, clock)
        both = await asyncio.gather(tokens.authorization(), tokens.authorization())
        assert both == ["Basic T1", "Basic T1"]
        clock.advance(hours(11))
        assert await tokens.authorization() == "Basic T1"
        clock.advance(minutes(31))
        assert await tokens.authorization() == "Basic T2"
        assert await tokens.authorization(refused="Basic T2") == "Basic T3"
        assert await tokens.authorization(refused="Basic T2") == "Basic T3"

    asyncio.run(whole())


def test_an_answer_without_a_token_is_told() -> None:
    async def ask() -> GetAuthorizationTokenResponse:
        return GetAuthorizationTokenResponse(authorization_data=[])

    with pytest.raises(NoToken):
        asyncio.run(RegistryTokens(ask, ManualClock()).authorization())


@pytest.mark.engine
def test_an_engine_pulls_through_it_and_knows_the_image_by_its_own_name(engine_socket: str) -> None:
    async def tell(proxy: RegistryProxy, _session: aiohttp.ClientSession) -> None:
        async with DockerRuntime(engine_socket) as runtime:
            source = f"{proxy.host}/{ACCOUNT}/{REGION}/web"
            by_digest = PullRequest(
                reference=f"{source}@{DIGEST}",
                name=f"moor:4750/web@{DIGEST}",
                username=USERNAME,
                password=proxy.password,
            )
            steps: list[int] = []
            pulled = await runtime.pull(by_digest, lambda p: steps.append(p.done_bytes))
            assert f"moor:4750/web@{DIGEST}" in pulled.digests
            assert not [n for n in (*pulled.references, *pulled.digests) if source in n]
            assert (await runtime.image(f"moor:4750/web@{DIGEST}")) == pulled
            spec = ContainerSpec(
                name="proxy-test",
                labels={"x": "y"},
                body={"Image": f"moor:4750/web@{DIGEST}", "Cmd": ["true"]},
            )
            made = await runtime.create(spec)
            found = await runtime.inspect(made.id)
            assert found is not None
            assert found.image == f"moor:4750/web:sha256-{DIGEST.partition(':')[2]}"
            await runtime.remove("container", made.id)
            by_tag = PullRequest(
                reference=f"{source}:1",
                name="moor:4750/web:1",
                username=USERNAME,
                password=proxy.password,
            )
            pulled = await runtime.pull(by_tag)
            assert "moor:4750/web:1" in pulled.references
            assert f"moor:4750/web@{DIGEST}" in pulled.digests
            wrong = PullRequest(reference=f"{source}:1", username=USERNAME, password="guess")
            with pytest.raises(CannotPull):
                await runtime.pull(wrong)
            absent = PullRequest(
                reference=f"{source}:2", username=USERNAME, password=proxy.password
            )
            with pytest.raises(CannotPull, match="unknown") as refusal:
                await runtime.pull(absent)
            assert not refusal.value.transient
            await runtime.remove("image", pulled.id)
            assert await runtime.image(pulled.id) is None

    story(tell)
