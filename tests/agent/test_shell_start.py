"""Starting the agent: what it needs first, and how it ends."""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.agent import identity
from moorage.agent.journal import Lines
from moorage.agent.options import AgentOptions, OptionsRefused
from moorage.agent.process import EXIT_DONE, run_agent
from moorage.agent.shell import default_run_folder, harmless
from tests.agent.test_shell_checkpoint import IDENTITY


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    logger = logging.getLogger("moorage.agent")
    before = list(logger.handlers)
    yield
    logger.handlers[:] = before


def options(folder: Path, **more: object) -> AgentOptions:
    return AgentOptions(
        endpoint="http://127.0.0.1:1",
        data=folder / "h1",
        docker_socket=str(folder / "absent.sock"),
        name="h1",
        **more,  # type: ignore[arg-type]
    )


def test_a_new_host_needs_a_token(tmp_path: Path) -> None:
    with pytest.raises(OptionsRefused, match="token"):
        asyncio.run(run_agent(options(tmp_path)))


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    lock = identity.claim(tmp_path / "h1")
    with pytest.raises(OptionsRefused, match="another agent"):
        asyncio.run(run_agent(options(tmp_path)))
    os.close(lock)


def test_it_waits_for_its_engine_and_ends_when_told(tmp_path: Path) -> None:
    (tmp_path / "h1").mkdir()
    identity.keep(tmp_path / "h1", IDENTITY)

    async def story() -> int:
        asyncio.get_running_loop().call_later(0.4, os.kill, os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(10):
            return await run_agent(options(tmp_path))

    assert asyncio.run(story()) == EXIT_DONE


def test_what_no_task_depends_on_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("a figure")

    async def story() -> None:
        step = asyncio.ensure_future(harmless(fails)())
        await asyncio.sleep(0.05)
        assert not step.done()
        step.cancel()
        await asyncio.gather(step, return_exceptions=True)

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert "it goes on" in caplog.text


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("moorage.agent", logging.WARNING, "", 0, message, None, None)


def test_a_line_of_the_log_is_one_line() -> None:
    text = Lines("h1", for_people=True).format(record("a\nb\x1b[2J"))
    assert "\n" not in text
    assert "h1: a\\x0ab" in text
    told = json.loads(Lines("h1", for_people=False).format(record("a\nb")))
    assert (told["host"], told["level"], told["message"]) == ("h1", "warning", "a\nb")


def test_agents_of_one_user_share_their_slots_by_default() -> None:
    assert default_run_folder() == default_run_folder()
    assert default_run_folder().is_absolute()
