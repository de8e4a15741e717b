"""What the agent says stands on its disk before it is said."""

import asyncio
import logging
from pathlib import Path

import pytest

from moorage.agent.checkpoint import Checkpoint
from moorage.agent.engine import instructions as to
from moorage.agent.engine.events import AgentStarted, ContainersObserved, Event, PullFinished
from moorage.agent.engine.instructions import Instruction, PullImage
from moorage.agent.engine.machine import Engine
from moorage.agent.loop import AgentLoop
from moorage.agent.records.host import Host
from moorage.ground.clock import SystemClock
from moorage.ground.instant import Instant
from tests.agent.rig import INSTANCE, Rig, payload, task
from tests.agent.test_shell_loop import tell


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
