"""A server that goes and returns, for the whole agent over a virtual engine: what runs, what is told."""

import asyncio
from collections.abc import Awaitable, Callable

from moorage.acs.task_messages import TaskExtras
from moorage.agent.engine.events import ServerHeard, ServerSilent
from moorage.agent.runtime.memory_engine import Script, plays
from moorage.ground.instant import Duration, seconds
from moorage.ground.record import evolve
from tests.agent.rig import Rig, stocked, task

HEALED = TaskExtras(service_name="web", heal_after_seconds=0.2)
FENCED = TaskExtras(service_name="web", fence_after_seconds=60.0)
CRASHES = Script(runs=seconds(0.3), exit_code=7, output=(("stderr", b"the last words\n"),))


def silent(rig: Rig, length: float) -> None:
    lost = Duration(seconds(length))
    rig.loop.feed(ServerSilent(unheard=lost, unconfirmed=lost))


def story(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(work())


def test_a_container_that_crashes_while_nobody_listens_is_run_again_and_that_is_told(tmp_path):
    async def work() -> None:
        engine = stocked(plays(CRASHES))
        async with Rig(tmp_path, engine).running() as rig:
            rig.loop.feed(ServerHeard())
            rig.give(evolve(task(), moorage=HEALED))
            silent(rig, 5)
            await rig.until(lambda: len(engine.starts) == 2)
        async with Rig(tmp_path, engine).running() as rig:
            silent(rig, 5)
            await rig.until(lambda: len(engine.starts) >= 3)
            assert "STOPPED" not in rig.told()
            rig.loop.feed(ServerHeard())
            await rig.until(lambda: "STOPPED" in rig.told() and rig.post_mortems_told)
            await rig.until(lambda: any(one.ended for one in rig.post_mortems_told))
        ended = next(one for one in rig.post_mortems_told if one.ended)
        (container,) = ended.containers
        assert container.healings >= 2
        assert container.exit_code == container.last_exit_code == 7
        assert container.lines[-1].text == "the last words"
        assert len(set(engine.starts)) == 1, "always the same container"

    story(work)


def test_a_task_to_be_fenced_is_stopped_and_its_end_is_told_later(tmp_path):
    async def work() -> None:
        engine = stocked()
        async with Rig(tmp_path, engine).running() as rig:
            rig.loop.feed(ServerHeard())
            rig.give(evolve(task(), moorage=FENCED))
            await rig.until(lambda: rig.told() == ["RUNNING"])
            silent(rig, 60)
            await rig.until(lambda: rig.told() == ["RUNNING", "STOPPED"])
        assert rig.reports[-1].reason.startswith("Fenced: ")
        assert not [one for one in engine.containers.values() if one.status == "running"]

    story(work)
