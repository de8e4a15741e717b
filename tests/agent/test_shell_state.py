"""What the agent kept is empty, torn, old or gone (F15): containers are found by their labels.

Host restarts emptied the state file of Amazon's agent (amazon-ecs-agent #1301), and it forgot what
ran. Here none is started again, none is doubled, none is lost.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from moorage.agent.checkpoint import CheckpointRefused
from tests.agent.rig import INSTANCE, Rig, stocked, task

OTHER = INSTANCE.replace("c" * 32, "d" * 32)


def gone(folder: Path, _before: Path) -> None:
    shutil.rmtree(folder)


def emptied(folder: Path, _before: Path) -> None:
    for path in folder.rglob("*.json"):
        path.write_bytes(b"")


def torn(folder: Path, _before: Path) -> None:
    for path in folder.rglob("*.json"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def zeroed(folder: Path, _before: Path) -> None:
    for path in folder.rglob("*.json"):
        path.write_bytes(b"\0" * path.stat().st_size)


def old(folder: Path, before: Path) -> None:
    """A copy from before the second task came: a snapshot of the disk was restored."""
    shutil.rmtree(folder)
    shutil.copytree(before, folder)


def half_written(folder: Path, _before: Path) -> None:
    """Power failed while a file was written beside its place."""
    for path in list(folder.rglob("*.json")):
        path.with_suffix(".new").write_bytes(b'{"version":1,"inst')


def untouched(folder: Path, _before: Path) -> None:
    assert folder.is_dir()


Damage = Callable[[Path, Path], None]
DAMAGES: list[Damage] = [untouched, gone, emptied, torn, zeroed, old, half_written]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_runs_is_found_again_and_runs_on(tmp_path: Path, damage: Damage) -> None:
    async def story() -> None:
        engine, folder, before = stocked(), tmp_path / "checkpoint", tmp_path / "before"
        async with Rig(tmp_path, engine).running() as rig:
            rig.give(task(1))
            await rig.until(lambda: "RUNNING" in rig.told(1))
            shutil.copytree(folder, before)
            rig.give(task(2))
            await rig.until(lambda: "RUNNING" in rig.told(2))
        running = {one.id: one.started_at for one in engine.containers.values()}
        assert len(running) == 2
        damage(folder, before)
        async with Rig(tmp_path, engine).running() as rig:
            await rig.until(lambda: len(rig.loop.engine.tasks()) == 2)
            known = {one.arn for one in rig.loop.engine.tasks()}
            assert known == {task(1).arn, task(2).arn}
            # The server sends what it holds to be there once more: nothing follows from it.
            rig.give(task(1), task(2))
            await asyncio.sleep(0.3)
            assert {one.id: one.started_at for one in engine.containers.values()} == running
            assert "STOPPED" not in rig.told(1) + rig.told(2)
            rig.give(task(2, "STOPPED"))
            await rig.until(lambda: "STOPPED" in rig.told(2))
            assert "STOPPED" not in rig.told(1)

    asyncio.run(story())


def test_the_state_of_another_host_is_refused_and_stays_whole(tmp_path: Path) -> None:
    async def story() -> None:
        engine = stocked()
        async with Rig(tmp_path, engine).running() as rig:
            rig.give(task(1))
            await rig.until(lambda: "RUNNING" in rig.told(1))
        files = {path: path.read_bytes() for path in (tmp_path / "checkpoint").rglob("*.json")}
        for path, content in files.items():
            path.write_bytes(content.replace(INSTANCE.encode(), OTHER.encode()))
        with pytest.raises(CheckpointRefused, match="data folder copied"):
            Rig(tmp_path, engine)
        for path, content in files.items():
            assert path.read_bytes() == content.replace(INSTANCE.encode(), OTHER.encode())

    asyncio.run(story())
