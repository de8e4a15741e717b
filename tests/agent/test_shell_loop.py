"""The agent at work on a virtual engine: tasks run, end, outlive the agent and the engine."""

import asyncio
from pathlib import Path

import pytest

from moorage.acs.messages import AckRequest
from moorage.agent.engine.instructions import SaveCheckpoint
from moorage.agent.runtime.memory_engine import Script, plays
from moorage.agent.runtime.port import (
    CannotCreate,
    CannotStart,
    ContainerSpec,
    EngineUnavailable,
)
from moorage.ground.clock import SystemClock
from moorage.ground.instant import seconds
from tests.agent.rig import DIGEST, IMAGE, Rig, stocked, task


def tell(story, folder: Path, engine=None) -> Rig:
    rig = Rig(folder, engine or stocked())

    async def whole() -> None:
        async with rig.running():
            await story(rig)

    asyncio.run(whole())
    return rig


def test_a_task_runs_and_its_end_is_reported(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(task())
        await rig.until(lambda: rig.told() == ["RUNNING"])
        await rig.runtime.exit(next(iter(rig.runtime.engine.containers)), 3)
        await rig.until(lambda: rig.told() == ["RUNNING", "STOPPED"])

    rig = tell(story, tmp_path)
    assert [type(message) for message in rig.said] == [AckRequest]
    running, stopped = rig.reports
    assert running.containers[0].runtime_id is not None
    assert running.containers[0].image_digest == DIGEST
    assert stopped.containers[0].exit_code == 3
    assert rig.runtime.pulled == []


def test_a_stop_kills_what_is_deaf(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(task())
        await rig.until(lambda: rig.told() == ["RUNNING"])
        rig.give(task(desired="STOPPED"))
        await rig.until(lambda: rig.told()[-1] == "STOPPED")

    rig = tell(story, tmp_path, stocked(plays(Script(deaf=True))))
    assert rig.reports[-1].containers[0].exit_code == 137


def test_tasks_outlive_the_agent(tmp_path: Path) -> None:
    """A killed agent must not restart what runs (amazon-ecs-agent #939: created twice)."""
    engine = stocked()

    async def begin(rig: Rig) -> None:
        rig.give(task(1), task(2))
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING"])

    async def go_on(rig: Rig) -> None:
        rig.give(task(1), task(3))
        await rig.until(lambda: rig.told(3) == ["RUNNING"])
        await rig.runtime.exit(min(engine.containers), 5)
        await rig.until(lambda: "STOPPED" in {*rig.told(1), *rig.told(2)})

    tell(begin, tmp_path, engine)
    assert len(engine.starts) == 2
    tell(go_on, tmp_path, engine)
    assert len(engine.starts) == 3


def test_tasks_outlive_the_loss_of_the_checkpoint(tmp_path: Path) -> None:
    engine = stocked()

    async def begin(rig: Rig) -> None:
        rig.give(task())
        await rig.until(lambda: rig.told() == ["RUNNING"])

    async def go_on(rig: Rig) -> None:
        await rig.until(lambda: rig.told() == ["RUNNING"])
        rig.give(task())
        await asyncio.sleep(0.1)
        await rig.runtime.exit(next(iter(engine.containers)), 0)
        await rig.until(lambda: rig.told()[-1] == "STOPPED")

    tell(begin, tmp_path / "one", engine)
    tell(go_on, tmp_path / "two", engine)
    assert len(engine.starts) == 1


def test_an_exit_while_the_agent_was_away_is_reported_on_its_return(tmp_path: Path) -> None:
    engine = stocked()

    async def begin(rig: Rig) -> None:
        rig.give(task())
        await rig.until(lambda: rig.told() == ["RUNNING"])

    async def go_on(rig: Rig) -> None:
        await rig.until(lambda: rig.told() == ["STOPPED"])

    tell(begin, tmp_path, engine)
    engine.exit(next(iter(engine.containers)), 9, SystemClock().now())
    rig = tell(go_on, tmp_path, engine)
    assert rig.reports[0].containers[0].exit_code == 9
    assert len(engine.starts) == 1


def test_an_engine_that_goes_and_returns(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(task(1))
        await rig.until(lambda: rig.told(1) == ["RUNNING"])
        await rig.runtime.take_down()
        rig.vigil.doubt("told by a test")
        rig.give(task(2))
        await asyncio.sleep(0.1)
        assert rig.told(1) == ["RUNNING"]
        await rig.runtime.bring_up()
        await rig.until(lambda: rig.told(1)[-1] == "STOPPED" and rig.told(2) == ["RUNNING"])

    tell(story, tmp_path)


def test_orders_are_kept_while_the_engine_is_away_and_performed_later(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(task(1))
        await rig.until(lambda: rig.told(1) == ["RUNNING"])
        await rig.runtime.take_down(containers_end=False)
        await rig.until(lambda: bool(rig.statuses))
        heard = len(rig.said)
        rig.give(task(1, "STOPPED"), task(2))
        await rig.until(lambda: len(rig.said) == heard + 2)
        assert rig.told(1) == ["RUNNING"]
        await rig.runtime.bring_up()
        await rig.until(lambda: rig.told(1)[-1] == "STOPPED" and rig.told(2) == ["RUNNING"])

    lost, back = tell(story, tmp_path).statuses
    assert (lost.impaired, back.impaired) == (True, False)
    assert (lost.reason or "").startswith("EngineLost: ")


def test_a_stop_that_hangs_delays_neither_reports_nor_other_stops(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(task(1), task(2))
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING"])
        rig.runtime.hang("stop")
        rig.give(task(1, "STOPPED"))
        await rig.until(lambda: rig.watch.breaker.out == 1)
        rig.runtime.let_pass("stop")
        rig.give(task(2, "STOPPED"), task(3))
        await rig.until(lambda: rig.told(2)[-1] == "STOPPED" and rig.told(3) == ["RUNNING"])
        assert rig.told(1) == ["RUNNING"]
        assert rig.statuses == []

    tell(story, tmp_path)


def test_a_container_that_cannot_be_killed_is_never_told_as_stopped(tmp_path: Path) -> None:
    """F34: its process waits for a dead disk. Only its host is impaired, until it ends after all."""
    engine = stocked(plays(Script(undying=True)))

    async def story(rig: Rig) -> None:
        rig.give(task(1), task(2))
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING"])
        rig.give(task(1, "STOPPED"))
        await rig.until(lambda: bool(rig.statuses))
        await asyncio.sleep(0.2)
        assert rig.told(1) == rig.told(2) == ["RUNNING"]
        (stuck,) = (
            record.runtime_id
            for each in rig.loop.engine.tasks()
            for record in each.containers
            if each.desired == "STOPPED"
        )
        await rig.runtime.exit(stuck, 137)
        await rig.until(lambda: rig.told(1) == ["RUNNING", "STOPPED"])
        await rig.until(lambda: len(rig.statuses) == 2)
        assert rig.told(2) == ["RUNNING"]

    rig = tell(story, tmp_path, engine)
    stuck, fine = rig.statuses
    assert (stuck.reason or "").startswith("ContainerStuck: container web of task ")
    assert "did not receive an exit event" in (stuck.reason or "")
    assert (fine.impaired, fine.reason) == (False, None)


def test_an_exhausted_host_says_why_nothing_can_be_made(tmp_path: Path) -> None:
    """F36: the engine has no room left."""

    async def story(rig: Rig) -> None:
        rig.runtime.fail("create", CannotCreate("mkdir /var/lib/docker: no space left on device"))
        rig.give(task())
        await rig.until(lambda: rig.told() == ["STOPPED"])
        assert not rig.vigil.lost

    reason = tell(story, tmp_path).reports[-1].containers[0].reason
    assert reason is not None
    assert reason.startswith("CannotCreateContainerError: ")
    assert "no space left on device" in reason


def test_a_call_that_hangs_blocks_no_other_task(tmp_path: Path) -> None:
    def scripts(spec: ContainerSpec) -> Script:
        return Script()

    async def story(rig: Rig) -> None:
        rig.runtime.hang("pull")
        rig.give(task(1, image="elsewhere:1/other:1"), task(2))
        await rig.until(lambda: rig.told(2) == ["RUNNING"])
        assert rig.told(1) == []
        rig.runtime.release("pull")

    tell(story, tmp_path, stocked(scripts))


def test_a_single_call_that_hangs_is_no_loss_of_the_engine(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.runtime.fail("start", EngineUnavailable("slow", timed_out=True))
        rig.give(task())
        await rig.until(lambda: rig.told() != [])
        assert not rig.vigil.lost

    tell(story, tmp_path)


def test_what_cannot_be_started_says_why(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.runtime.fail("start", CannotStart("no such program"))
        rig.give(task())
        await rig.until(lambda: rig.told() == ["STOPPED"])

    reason = tell(story, tmp_path).reports[-1].containers[0].reason
    assert reason is not None
    assert "CannotStartContainerError" in reason
    assert "no such program" in reason


def test_what_cannot_be_pulled_says_why(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(task(image="elsewhere:1/absent:1"))
        await rig.until(lambda: rig.told() == ["STOPPED"])

    reason = tell(story, tmp_path).reports[-1].containers[0].reason
    assert reason is not None
    assert "CannotPullContainerError" in reason


def test_a_name_that_is_taken_by_others_is_told_and_left_alone(tmp_path: Path) -> None:
    engine = stocked()
    name = "ecs-web-1-web-000000000001"
    foreign = ContainerSpec(name=name, labels={"someone": "else"}, body={"Image": IMAGE})
    engine.create(foreign, SystemClock().now())

    async def story(rig: Rig) -> None:
        rig.give(task())
        await rig.until(lambda: rig.told() == ["STOPPED"])

    reason = tell(story, tmp_path, engine).reports[-1].containers[0].reason
    assert reason is not None
    assert "CannotCreateContainerError" in reason
    assert engine.find(name) is not None


def test_a_bug_in_the_hands_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Strange(SaveCheckpoint.__base__):  # type: ignore[misc,name-defined]
        """An instruction that nobody performs."""

    async def story(rig: Rig) -> None:
        await rig.loop.begin(Strange())
        rig.give(task())
        await rig.until(lambda: rig.told() == ["RUNNING"])

    tell(story, tmp_path)
    assert "Strange failed" in caplog.text


def test_many_tasks_start_and_each_is_reported_once(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(*(task(number) for number in range(1, 31)))
        await rig.until(lambda: all(rig.told(n) == ["RUNNING"] for n in range(1, 31)))

    rig = tell(story, tmp_path, stocked(plays(Script(runs=seconds(600)))))
    assert len(rig.runtime.engine.starts) == 30
