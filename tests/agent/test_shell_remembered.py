"""A host whose engine does not answer when it starts is what it was."""

import asyncio
from pathlib import Path

import pytest

from moorage.agent.remembered import FILE, known_engine
from moorage.agent.runtime.memory import MemoryRuntime
from moorage.agent.runtime.port import EngineFacts
from moorage.ground.clock import SystemClock
from tests.agent.rig import stocked

QUICK = 0.05


def ask(folder: Path, *, up: bool, wait_seconds: float = QUICK) -> EngineFacts:
    async def story() -> EngineFacts:
        runtime = MemoryRuntime(stocked(), SystemClock())
        runtime.up = up
        async with asyncio.timeout(1):
            return await known_engine(runtime, folder, wait_seconds)

    return asyncio.run(story())


def test_what_it_was_is_what_it_is_until_it_answers(tmp_path: Path, caplog) -> None:
    facts = ask(tmp_path, up=True)
    assert ask(tmp_path, up=False) == facts
    assert "goes on as it was" in caplog.text


def test_without_a_word_of_it_ever_the_host_waits(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        ask(tmp_path, up=False)


def test_a_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(TimeoutError):
        ask(tmp_path, up=False)
    assert ask(tmp_path, up=True).engine_id == "MEMORY"


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path, caplog) -> None:
    assert ask(tmp_path / "absent", up=True).engine_id == "MEMORY"
    assert "cannot keep" in caplog.text
