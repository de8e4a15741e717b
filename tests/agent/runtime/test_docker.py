"""The contract on a real Docker Engine, and its mishaps: gone, hanging, back again."""

import asyncio
import contextlib
import os
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from moorage.agent.runtime.docker import DockerRuntime
from moorage.agent.runtime.docker_client import EngineClient, Refused
from moorage.agent.runtime.port import EngineUnavailable, LogRequest
from moorage.ground.instant import seconds
from tests.contract.container_runtime import HEEDS, IMAGE, ContainerRuntimeContract, Desk
from tests.engine import Engine

pytestmark = pytest.mark.engine


class DockerBench:
    def __init__(self, socket: str) -> None:
        self.socket = socket

    @asynccontextmanager
    async def open(self) -> AsyncIterator[DockerRuntime]:
        async with DockerRuntime(self.socket) as runtime:
            yield runtime


class TestDockerRuntime(ContainerRuntimeContract):
    @pytest.fixture
    def bench(self, engine_socket: str) -> DockerBench:
        return DockerBench(engine_socket)


def test_a_terminal_has_one_stream_of_lines(engine_socket: str) -> None:
    async def story() -> None:
        async with DockerRuntime(engine_socket) as runtime:
            desk = Desk(runtime)
            container = await desk.run(command=("sh", "-c", "echo one; echo two >&2"), Tty=True)
            await desk.ended(container)
            chunks = [chunk async for chunk in runtime.logs(LogRequest(id=container))]
            assert [chunk.content for chunk in chunks] == [b"one\r\n", b"two\r\n"]
            assert all(chunk.at is not None for chunk in chunks)
            await runtime.remove("container", container)

    asyncio.run(story())


def test_long_lines_arrive_whole_in_pieces(engine_socket: str) -> None:
    async def story() -> None:
        async with DockerRuntime(engine_socket) as runtime:
            desk = Desk(runtime)
            script = "dd if=/dev/zero bs=1000 count=200 2>/dev/null | tr '\\0' x; echo; echo end"
            container = await desk.run(command=("sh", "-c", script))
            await desk.ended(container)
            chunks = [chunk async for chunk in runtime.logs(LogRequest(id=container))]
            assert b"".join(c.content for c in chunks) == b"x" * 200_000 + b"\nend\n"
            await runtime.remove("container", container)

    asyncio.run(story())


def test_no_engine_is_unavailable() -> None:
    async def story() -> None:
        async with DockerRuntime("/nonexistent/docker.sock") as runtime:
            with pytest.raises(EngineUnavailable):
                await runtime.describe()

    asyncio.run(story())


def test_a_frozen_engine_blocks_only_the_call_that_waits(engine: Engine) -> None:
    """The bound of a call is kept even while the engine's threads stand still."""

    async def story() -> None:
        async with DockerRuntime(engine.socket) as runtime:
            await runtime.describe()
            engine.freeze()
            try:
                with pytest.raises(EngineUnavailable, match="in time"):
                    await runtime.client.call("GET", "/info", seconds=0.5)
            finally:
                engine.thaw()
            assert (await runtime.describe()).engine_id

    asyncio.run(story())


def test_a_process_without_descriptors_says_nothing_of_the_engine(engine_socket: str) -> None:
    """F36: what this process cannot open is no word on whether the engine is there."""
    highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir()) + 8

    async def story() -> None:
        client = EngineClient(engine_socket)
        held: list[int] = []
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 2, before[1]))
            with contextlib.suppress(OSError):
                while len(held) < highest + 2:
                    held.append(os.open(os.devnull, os.O_RDONLY))
            with pytest.raises(EngineUnavailable, match="Too many open files") as failure:
                await client.ping(5)
        finally:
            for each in held:
                os.close(each)
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert failure.value.exhausted
        await client.ping(5)
        await client.aclose()

    asyncio.run(story())


def test_refusals_carry_the_engines_words(engine_socket: str) -> None:
    async def story() -> None:
        client = EngineClient(engine_socket)
        with pytest.raises(Refused, match="No such container") as refusal:
            await client.call("GET", "/containers/absent/json")
        assert refusal.value.status == 404
        await client.aclose()
        with pytest.raises(EngineUnavailable, match="closed"):
            await client.call("GET", "/info")

    asyncio.run(story())


def test_events_go_on_after_the_engine_was_restarted() -> None:
    """Told from the running engine's restart: nothing doubled, a gap where some may be missing."""
    engine = Engine()

    async def story() -> None:
        async with DockerRuntime(engine.socket) as runtime:
            desk = Desk(runtime)
            events = runtime.watch(desk.labels)
            first = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0.5)
            container = await desk.run(command=HEEDS)
            assert (await asyncio.wait_for(first, 10)).action == "create"
            assert (await desk.until(events, "start"))[-1].id == container
            engine.stop()
            with pytest.raises(EngineUnavailable):
                await runtime.describe()
            waiting = asyncio.ensure_future(desk.until(events, "gap"))
            await asyncio.sleep(0.2)
            engine.start()
            seen = await waiting
            assert [e.action for e in seen if e.action in {"create", "start"}] == []
            ended = await runtime.inspect(container)
            assert ended is not None
            assert ended.status == "exited"
            await runtime.start(container)
            assert (await desk.until(events, "start"))[-1].id == container
            await runtime.stop(container, seconds(5))

    try:
        engine.start()
        engine.busybox(IMAGE)
        asyncio.run(story())
    finally:
        engine.purge()
