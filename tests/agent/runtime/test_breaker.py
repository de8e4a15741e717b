"""Lanes, deadlines, and the way out of calls that hang; and the port's contract through it all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from moorage.agent.runtime.breaker import LANES, Breaker, Lane
from moorage.agent.runtime.docker_client import CONNECTIONS_MAX
from moorage.agent.runtime.guarded import GuardedRuntime
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.port import CannotStart, EngineUnavailable, LogRequest, RuntimeFailure
from moorage.ground.clock import SystemClock
from moorage.ground.instant import seconds
from tests.agent.runtime.test_memory import stocked
from tests.contract.container_runtime import ContainerRuntimeContract

NARROW = {**LANES, "stop": Lane(at_once=1, seconds=0.05), "inspect": Lane(at_once=2, seconds=9)}


class GuardedBench:
    @asynccontextmanager
    async def open(self) -> AsyncIterator[GuardedRuntime]:
        runtime = MemoryRuntime(stocked(), SystemClock())
        try:
            yield GuardedRuntime(runtime, Breaker())
        finally:
            await runtime.aclose()


class TestGuardedRuntime(ContainerRuntimeContract):
    @pytest.fixture
    def bench(self) -> GuardedBench:
        return GuardedBench()


def guarded(story, lanes=NARROW) -> None:
    async def whole() -> None:
        engine = MemoryRuntime(stocked(), SystemClock())
        runtime = GuardedRuntime(engine, Breaker(lanes))
        try:
            async with asyncio.timeout(10):
                await story(engine, runtime)
        finally:
            await engine.aclose()

    asyncio.run(whole())


def test_all_lanes_together_leave_connections_free() -> None:
    assert sum(lane.at_once for lane in LANES.values()) < CONNECTIONS_MAX


def test_a_lane_that_is_full_of_hanging_calls_keeps_no_other_waiting() -> None:
    async def story(engine: MemoryRuntime, runtime: GuardedRuntime) -> None:
        engine.hang("stop")
        stops = [asyncio.ensure_future(runtime.stop("x", seconds(60))) for _ in range(5)]
        await asyncio.sleep(0)
        assert await runtime.inspect("x") is None
        assert runtime.breaker.out == 5
        for stop in stops:
            stop.cancel()
        await asyncio.gather(*stops, return_exceptions=True)
        assert runtime.breaker.out == 0

    guarded(story)


def test_a_call_has_its_deadline_and_its_grace_beside() -> None:
    async def story(engine: MemoryRuntime, runtime: GuardedRuntime) -> None:
        engine.hang("stop")
        with pytest.raises(EngineUnavailable, match=r"\(stop\) within 0.15 s") as failure:
            await runtime.stop("x", seconds(0.1))
        assert failure.value.timed_out
        assert runtime.breaker.abandoned == 1

    guarded(story)


def test_a_lost_engine_is_asked_nothing_until_it_is_back() -> None:
    async def story(engine: MemoryRuntime, runtime: GuardedRuntime) -> None:
        engine.hang("inspect")
        out = [asyncio.ensure_future(runtime.inspect("x")) for _ in range(3)]
        await asyncio.sleep(0)
        runtime.breaker.open("the engine is lost: it hangs")
        runtime.breaker.open("a second word changes nothing")
        for call in out:
            with pytest.raises(EngineUnavailable, match="given up, since the engine is lost"):
                await call
        assert runtime.breaker.abandoned == 3
        engine.release("inspect")
        for refused in (runtime.describe, lambda: runtime.pull(None)):
            with pytest.raises(EngineUnavailable, match="not asked, since"):
                await refused()
        with pytest.raises(EngineUnavailable, match="not asked, since"):
            runtime.logs(LogRequest(id="x"))
        await runtime.ping()
        runtime.breaker.close()
        assert await runtime.inspect("x") is None

    guarded(story)


def test_failures_pass_as_they_are() -> None:
    async def story(engine: MemoryRuntime, runtime: GuardedRuntime) -> None:
        engine.fail("start", CannotStart("no"))
        with pytest.raises(RuntimeFailure, match="no"):
            await runtime.start("x")
        assert runtime.breaker.abandoned == 0

    guarded(story)


def test_a_reader_of_output_is_cancelled_with_the_calls() -> None:
    async def story(_engine: MemoryRuntime, runtime: GuardedRuntime) -> None:
        reader = asyncio.ensure_future(asyncio.sleep(60))
        runtime.breaker.enrol(reader)
        runtime.breaker.open("the engine is lost")
        await asyncio.wait((reader,))
        assert reader.cancelled()

    guarded(story)
