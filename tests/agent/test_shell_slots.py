"""Starts at once are bounded across agents, and a slot outlives nobody."""

import asyncio
import multiprocessing
import os
import time
from pathlib import Path

from moorage.agent.slots import Slots, slots_for
from moorage.ground.chance import SystemChance
from moorage.ground.clock import ManualClock, SystemClock
from moorage.ground.instant import seconds


class Counting(SystemChance):
    """Counts how often somebody waits for a moment by chance."""

    moments = 0

    def uniform(self, low: float, high: float) -> float:
        self.moments += 1
        return super().uniform(low, high)


def open_slots(folder: Path, count: int = 2, clock=None) -> Slots:
    return Slots(folder, "AAAA:BBBB", count, clock or SystemClock(), SystemChance())


def test_two_agents_share_the_slots_of_one_engine(tmp_path: Path) -> None:
    held, peak = 0, 0

    async def start(slots: Slots) -> None:
        nonlocal held, peak
        async with slots.hold() as has_slot:
            assert has_slot
            held += 1
            peak = max(peak, held)
            await asyncio.sleep(0.01)
            held -= 1

    async def story() -> None:
        agents = [open_slots(tmp_path) for _ in range(3)]
        await asyncio.gather(*(start(agent) for agent in agents for _ in range(5)))
        for agent in agents:
            agent.close()

    asyncio.run(story())
    assert peak == 2


def test_within_an_agent_who_comes_first_starts_first(tmp_path: Path) -> None:
    order: list[int] = []

    async def start(slots: Slots, number: int) -> None:
        async with slots.hold():
            order.append(number)
            await asyncio.sleep(0)

    async def story() -> None:
        slots = open_slots(tmp_path, 1)
        await asyncio.gather(*(start(slots, number) for number in range(6)))
        slots.close()

    asyncio.run(story())
    assert order == list(range(6))


def test_who_waits_for_starts_of_its_own_agent_is_woken_and_asks_no_more(tmp_path: Path) -> None:
    chance = Counting()

    async def start(slots: Slots) -> None:
        async with slots.hold() as has_slot:
            assert has_slot
            await asyncio.sleep(0.02)

    async def story() -> None:
        slots = Slots(tmp_path, "AAAA:BBBB", 2, SystemClock(), chance)
        await asyncio.gather(*(start(slots) for _ in range(10)))
        slots.close()

    asyncio.run(story())
    assert chance.moments == 0


def test_a_slot_of_ones_own_is_taken_while_those_of_a_neighbour_are_held(tmp_path: Path) -> None:
    async def story() -> None:
        neighbour, own = open_slots(tmp_path), open_slots(tmp_path)
        async with neighbour.hold(), own.hold():
            waiting = asyncio.ensure_future(own.hold().__aenter__())
            await asyncio.sleep(0.05)
            assert not waiting.done()
        async with asyncio.timeout(5):
            assert await waiting
        neighbour.close()
        own.close()

    asyncio.run(story())


def take_and_die(folder: Path, taken) -> None:
    async def story() -> None:
        async with open_slots(folder, 1).hold():
            taken.set()
            os._exit(9)

    asyncio.run(story())


def test_the_slot_of_an_agent_that_was_killed_is_free(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    taken = context.Event()
    agent = context.Process(target=take_and_die, args=(tmp_path, taken))
    agent.start()
    assert taken.wait(20)
    agent.join(20)

    async def story() -> None:
        slots = open_slots(tmp_path, 1)
        async with asyncio.timeout(5), slots.hold() as has_slot:
            assert has_slot
        slots.close()

    asyncio.run(story())


def test_a_neighbour_that_hangs_is_passed_by_after_a_minute(tmp_path: Path) -> None:
    async def story() -> None:
        clock = ManualClock()
        hanging, waiting = open_slots(tmp_path, 1), open_slots(tmp_path, 1, clock)
        async with hanging.hold():
            entered = asyncio.ensure_future(waiting.hold().__aenter__())
            await asyncio.sleep(0.05)
            assert not entered.done()
            clock.advance(seconds(61))
            async with asyncio.timeout(5):
                assert await entered is False
        hanging.close()
        waiting.close()

    asyncio.run(story())


def test_a_free_slot_costs_nothing(tmp_path: Path) -> None:
    async def story() -> float:
        slots = open_slots(tmp_path, 4)
        begin = time.perf_counter()
        for _ in range(100):
            async with slots.hold():
                pass
        slots.close()
        return time.perf_counter() - begin

    assert asyncio.run(story()) < 0.5


def test_the_count_follows_the_cores() -> None:
    assert [slots_for(cpus) for cpus in (1, 2, 4, 16)] == [4, 4, 8, 32]
