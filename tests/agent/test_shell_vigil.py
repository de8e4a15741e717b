"""When an engine counts as lost, and when as back."""

import asyncio
from typing import Any

from moorage.agent.engine.events import EngineLost, EngineReturned
from moorage.agent.runtime.breaker import Breaker
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.port import EngineUnavailable
from moorage.agent.vigil import HANG_NOTICED_SECONDS, NO_ANSWER, Rhythm, Vigil
from moorage.ground.clock import SystemClock
from tests.agent.rig import stocked

QUICK = Rhythm(period_seconds=0.05, answer_seconds=0.25, return_seconds=0.01)
SLOW = EngineUnavailable("slow", timed_out=True)
FULL = EngineUnavailable("Too many open files", exhausted=True)
AWAY = EngineUnavailable("connection refused")


def watch(story) -> list[str]:
    """What was told while a story was played on a vigil with its engine."""
    told: list[Any] = []

    async def whole() -> None:
        runtime = MemoryRuntime(stocked(), SystemClock())
        vigil = Vigil(runtime, told.append, Breaker(), QUICK)
        async with asyncio.timeout(10):
            await story(runtime, vigil)
        await runtime.aclose()

    asyncio.run(whole())
    return [type(event).__name__ for event in told]


def test_a_hang_is_noticed_within_its_bound() -> None:
    assert HANG_NOTICED_SECONDS == 13.0


def test_one_refusal_is_enough() -> None:
    async def story(runtime: MemoryRuntime, vigil: Vigil) -> None:
        runtime.fail("ping", AWAY)
        await vigil.step()
        assert vigil.lost
        await vigil.step()
        assert not vigil.lost

    assert watch(story) == [EngineLost.__name__, EngineReturned.__name__]


def test_the_engines_own_words_are_told() -> None:
    told: list[Any] = []

    async def story() -> None:
        runtime = MemoryRuntime(stocked(), SystemClock())
        vigil = Vigil(runtime, told.append, rhythm=QUICK)
        runtime.fail("ping", AWAY)
        await vigil.step()
        await vigil.step()
        for _ in range(2):
            runtime.fail("ping", SLOW)
        await vigil.step()
        await runtime.aclose()

    asyncio.run(story())
    assert [event.reason for event in told if isinstance(event, EngineLost)] == [
        "connection refused",
        NO_ANSWER,
    ]


def test_one_slow_answer_is_not() -> None:
    async def story(runtime: MemoryRuntime, vigil: Vigil) -> None:
        runtime.fail("ping", SLOW)
        assert await vigil.answers()
        runtime.fail("ping", SLOW)
        runtime.fail("ping", SLOW)
        assert not await vigil.answers()

    assert watch(story) == []


def test_an_engine_that_hangs_is_lost() -> None:
    async def story(runtime: MemoryRuntime, vigil: Vigil) -> None:
        runtime.hang("ping")
        await vigil.step()
        assert vigil.lost
        runtime.release("ping")

    assert watch(story) == [EngineLost.__name__]


def test_it_is_back_when_it_lists_too() -> None:
    async def story(runtime: MemoryRuntime, vigil: Vigil) -> None:
        vigil.doubt("told by a test")
        runtime.fail("roster", EngineUnavailable("500"))
        await vigil.step()
        assert vigil.lost
        await vigil.step()
        assert not vigil.lost

    assert watch(story) == [EngineLost.__name__, EngineReturned.__name__]


def test_a_process_that_cannot_ask_learns_nothing() -> None:
    async def story(runtime: MemoryRuntime, vigil: Vigil) -> None:
        runtime.fail("ping", FULL)
        assert await vigil.answers()
        vigil.doubt("told by a test")
        runtime.fail("ping", FULL)
        assert not await vigil.answers()

    assert watch(story) == [EngineLost.__name__]


def test_those_who_ask_at_once_share_one_question() -> None:
    async def story(runtime: MemoryRuntime, vigil: Vigil) -> None:
        runtime.fail("ping", AWAY)
        found = await asyncio.gather(*(vigil.answers() for _ in range(20)))
        assert found == [False] * 20
        assert await vigil.answers()

    assert watch(story) == []


def test_a_sign_of_trouble_is_followed_up_at_once() -> None:
    async def story(runtime: MemoryRuntime, vigil: Vigil) -> None:
        slow = Vigil(runtime, lambda _: None, rhythm=Rhythm(period_seconds=60))
        waiting = asyncio.ensure_future(slow.step())
        await asyncio.sleep(0.01)
        slow.wake()
        await waiting
        del vigil

    assert watch(story) == []
