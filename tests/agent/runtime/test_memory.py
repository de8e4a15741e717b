"""The contract on the virtual engine, and what only it can do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.memory_engine import MemoryEngine, Script, plays
from moorage.agent.runtime.port import (
    CannotPull,
    ContainerSpec,
    EngineUnavailable,
    ImageFacts,
    PullRequest,
)
from moorage.ground.clock import ManualClock, SystemClock
from moorage.ground.instant import seconds
from tests.contract.container_runtime import (
    EXITS_3,
    HEEDS,
    IMAGE,
    SLEEPS,
    SPEAKS,
    UNKNOWN_COMMAND,
    ContainerRuntimeContract,
)

COMMANDS = {
    SLEEPS: Script(deaf=True),
    HEEDS: Script(),
    EXITS_3: Script(runs=seconds(0.05), exit_code=3),
    SPEAKS: Script(
        runs=seconds(0.2),
        output=(("stdout", b"out\n"), ("stderr", b"err\n"), ("stdout", b"more\n")),
    ),
    UNKNOWN_COMMAND: Script(fault='exec: "no-such-program": executable file not found in $PATH'),
}


def scripts(spec: ContainerSpec) -> Script:
    script = COMMANDS[tuple(spec.body["Cmd"])]
    if "Healthcheck" in spec.body:
        return Script(deaf=True, health=((seconds(0.05), "healthy"),))
    return script


def stocked() -> MemoryEngine:
    engine = MemoryEngine(scripts)
    engine.add_image(ImageFacts(id="sha256:" + "1" * 64, references=(IMAGE,)))
    return engine


class MemoryBench:
    @asynccontextmanager
    async def open(self) -> AsyncIterator[MemoryRuntime]:
        runtime = MemoryRuntime(stocked(), SystemClock())
        try:
            yield runtime
        finally:
            await runtime.aclose()


class TestMemoryRuntime(ContainerRuntimeContract):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()


SPEC = ContainerSpec(name="one", labels={"x": "y"}, body={"Image": IMAGE, "Cmd": list(SLEEPS)})


def test_time_passes_only_as_the_clock_says() -> None:
    async def story() -> None:
        clock = ManualClock()
        engine = MemoryEngine(plays(Script(runs=seconds(60), exit_code=7)))
        engine.add_image(ImageFacts(id="sha256:" + "1" * 64, references=(IMAGE,)))
        runtime = MemoryRuntime(engine, clock)
        made = await runtime.create(SPEC)
        await runtime.start(made.id)
        clock.advance(seconds(59))
        await runtime.settle()
        before = await runtime.inspect(made.id)
        clock.advance(seconds(1))
        await runtime.settle()
        after = await runtime.inspect(made.id)
        await runtime.aclose()
        assert before is not None
        assert before.status == "running"
        assert after is not None
        assert (after.status, after.exit_code) == ("exited", 7)

    asyncio.run(story())


def test_failures_and_hangs_are_played_once() -> None:
    async def story() -> None:
        runtime = MemoryRuntime(stocked(), ManualClock())
        runtime.fail("create", EngineUnavailable("gone"))
        with pytest.raises(EngineUnavailable):
            await runtime.create(SPEC)
        runtime.hang("create")
        hanging = asyncio.ensure_future(runtime.create(SPEC))
        await asyncio.sleep(0)
        assert not hanging.done()
        runtime.release("create")
        with pytest.raises(EngineUnavailable):
            await hanging
        assert (await runtime.create(SPEC)).twin is None

    asyncio.run(story())


def test_an_engine_that_comes_back_tells_of_a_gap() -> None:
    async def story() -> None:
        runtime = MemoryRuntime(stocked(), SystemClock())
        made = await runtime.create(SPEC)
        await runtime.start(made.id)
        events = runtime.watch({"x": "y"})
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        await runtime.take_down()
        with pytest.raises(EngineUnavailable):
            await runtime.describe()
        await runtime.bring_up()
        async with asyncio.timeout(5):
            assert (await waiting).action == "gap"
        ended = await runtime.inspect(made.id)
        assert ended is not None
        assert ended.exit_code == 137
        await runtime.aclose()

    asyncio.run(story())


def test_pulls_come_from_its_registry() -> None:
    async def story() -> None:
        runtime = MemoryRuntime(stocked(), SystemClock())
        digest = "sha256:" + "a" * 64
        facts = ImageFacts(id="sha256:" + "2" * 64, digests=(f"h:1/web@{digest}",), size_bytes=9)
        runtime.registry[f"h:1/web@{digest}"] = facts
        request = PullRequest(reference=f"h:1/web@{digest}", name=f"r:2/web@{digest}")
        steps: list[int] = []
        pulled = await runtime.pull(request, lambda progress: steps.append(progress.done_bytes))
        assert steps == [9]
        assert pulled.references == (f"r:2/web:sha256-{'a' * 64}",)
        assert await runtime.image(f"r:2/web@{digest}") == pulled
        with pytest.raises(CannotPull):
            await runtime.pull(PullRequest(reference="h:1/other:1"))

    asyncio.run(story())
