"""The agent at work on a virtual engine: tasks run, end, outlive the agent and the engine."""

import asyncio
import logging
from pathlib import Path

import pytest

from moorage.acs.messages import AckRequest
from moorage.agent.checkpoint import Checkpoint
from moorage.agent.engine import instructions as to
from moorage.agent.engine.events import (
    AgentStarted,
    ContainersObserved,
    Event,
    PullFailed,
    PullFinished,
)
from moorage.agent.engine.instructions import Instruction, PullImage, SaveCheckpoint
from moorage.agent.engine.machine import Engine
from moorage.agent.loop import AgentLoop
from moorage.agent.pulling import Puller, discard
from moorage.agent.records.host import Host
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.memory_engine import Script, plays
from moorage.agent.runtime.port import (
    CannotCreate,
    CannotPull,
    CannotStart,
    ContainerSpec,
    EngineUnavailable,
    ImageFacts,
)
from moorage.ground.clock import SystemClock
from moorage.ground.instant import Instant, seconds
from tests.agent.rig import DIGEST, IMAGE, INSTANCE, Rig, payload, stocked, task


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


def test_nothing_is_acknowledged_before_it_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(rig: Rig) -> None:
        folder = tmp_path / "checkpoint" / "tasks"
        folder.rename(tmp_path / "gone")
        rig.give(task())
        await asyncio.sleep(0.3)
        assert rig.said == []
        (tmp_path / "gone").rename(folder)
        await rig.until(lambda: rig.told() == ["RUNNING"])
        assert len(rig.said) == 1

    with caplog.at_level(logging.ERROR):
        rig = tell(story, tmp_path)
    assert caplog.text.count("cannot save") == 1
    assert [status.impaired for status in rig.statuses] == [True, False]
    assert (rig.statuses[0].reason or "").startswith("RecordsUnwritable: ")


class Noted(Checkpoint):
    """Keeps, and notes what."""

    def __init__(self, folder: Path, notes: list[str]) -> None:
        super().__init__(folder, INSTANCE)
        self.notes = notes

    def save(self, tasks, forgotten, memory, *, durable: bool) -> None:
        super().save(tasks, forgotten, memory, durable=durable)
        self.notes.append(f"kept {len(tasks)}{' for good' if durable else ''}")


def test_orders_that_come_together_are_kept_in_one_go_before_they_are_acknowledged(
    tmp_path: Path,
) -> None:
    notes: list[str] = []

    async def perform(wanted: Instruction) -> Event | None:
        notes.append(type(wanted).__name__)
        if isinstance(wanted, to.ObserveContainers):
            return ContainersObserved(look=wanted.look, containers=())
        if isinstance(wanted, PullImage):
            return PullFinished(
                image=wanted.image,
                reference=wanted.image,
                started_at=Instant(0),
                finished_at=Instant(0),
            )
        return None

    async def story() -> None:
        host = Host(name="h1", cluster="default", container_instance_arn=INSTANCE)
        kinds = (to.ObserveContainers, PullImage, to.ListImages, to.CreateContainer)
        said = {to.SendMessage: lambda _: notes.append("acknowledged")}
        beside = dict.fromkeys(kinds, perform)
        checkpoint = Noted(tmp_path, notes)
        loop = AgentLoop(Engine(host), checkpoint, SystemClock(), said, beside)
        loop.feed(AgentStarted())
        await loop.step()  # asks for a look
        await asyncio.sleep(0)
        await loop.step()  # takes it in
        notes.clear()
        for number in (1, 2, 3):
            loop.feed(payload(task(number)))
        await loop.step()
        assert notes == ["PullImage", "kept 3 for good", *["acknowledged"] * 3]
        notes.clear()
        await loop.step()  # the image is here
        await asyncio.sleep(0)
        assert notes == ["kept 3", *["CreateContainer"] * 3]
        await loop.aclose()

    asyncio.run(story())


def test_of_records_that_are_kept_together_the_later_is_kept(tmp_path: Path) -> None:
    """An order to run and one to stop, in one breath: the disk holds the stop."""

    async def story(rig: Rig) -> None:
        rig.give(task(), task(2))
        rig.give(task(desired="STOPPED"))
        await rig.until(lambda: rig.told(2) == ["RUNNING"])
        await rig.until(lambda: rig.told()[-1:] == ["STOPPED"])

    tell(story, tmp_path)
    loaded = {one.arn: one for one in Checkpoint(tmp_path / "checkpoint", INSTANCE).load().tasks}
    assert loaded[task().arn].desired == "STOPPED"
    assert loaded[task(2).arn].desired == "RUNNING"


def test_a_bug_in_the_hands_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Strange(SaveCheckpoint.__base__):  # type: ignore[misc,name-defined]
        """An instruction that nobody performs."""

    async def story(rig: Rig) -> None:
        await rig.loop.begin(Strange())
        rig.give(task())
        await rig.until(lambda: rig.told() == ["RUNNING"])

    tell(story, tmp_path)
    assert "Strange failed" in caplog.text


def pulling(runtime: MemoryRuntime) -> Puller:
    return Puller(runtime, SystemClock(), None, ("000000000001", "us-east-1"))


def test_a_tag_is_asked_for_each_time_and_served_from_here_when_its_registry_is_away() -> None:
    async def story() -> None:
        runtime = MemoryRuntime(stocked(), SystemClock())
        puller = pulling(runtime)
        wanted = PullImage(image="r:1/web:1")
        absent = await puller.have(wanted)
        assert isinstance(absent, PullFailed)
        assert not absent.transient
        found = ImageFacts(
            id="sha256:" + "7" * 64, references=("r:1/web:1",), digests=(f"r:1/web@{DIGEST}",)
        )
        runtime.registry["r:1/web:1"] = found
        pulled = await puller.have(wanted)
        assert isinstance(pulled, PullFinished)
        assert (pulled.pulled, pulled.reference, pulled.digest) == (True, "r:1/web:1", DIGEST)
        runtime.fail("pull", CannotPull("connection refused", transient=True))
        again = await puller.have(wanted)
        assert isinstance(again, PullFinished)
        assert (again.pulled, again.reference, again.digest) == (False, "r:1/web:1", DIGEST)
        assert len(runtime.pulled) == 3

    asyncio.run(story())


def test_a_digest_that_is_here_is_not_pulled() -> None:
    async def story() -> None:
        runtime = MemoryRuntime(stocked(), SystemClock())
        found = await pulling(runtime).have(PullImage(image=IMAGE))
        assert isinstance(found, PullFinished)
        assert (found.pulled, found.reference, found.digest) == (False, IMAGE, DIGEST)
        assert runtime.pulled == []

    asyncio.run(story())


def test_removing_an_image_takes_what_stands_for_it_and_leaves_other_tags() -> None:
    async def story() -> None:
        runtime = MemoryRuntime(stocked(), SystemClock())
        names = ("r:1/web:1", f"r:1/web:sha256-{'d' * 64}", "r:1/web:2")
        facts = ImageFacts(id="sha256:" + "8" * 64, references=names)
        runtime.engine.add_image(facts)
        await discard(runtime, runtime, "r:1/web:1")
        left = await runtime.image(facts.id)
        assert left is not None
        assert left.references == ("r:1/web:2",)
        await discard(runtime, runtime, "r:1/web:2")
        assert await runtime.image(facts.id) is None
        await discard(runtime, runtime, "r:1/web:2")

    asyncio.run(story())


def test_many_tasks_start_and_each_is_reported_once(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(*(task(number) for number in range(1, 31)))
        await rig.until(lambda: all(rig.told(n) == ["RUNNING"] for n in range(1, 31)))

    rig = tell(story, tmp_path, stocked(plays(Script(runs=seconds(600)))))
    assert len(rig.runtime.engine.starts) == 30
