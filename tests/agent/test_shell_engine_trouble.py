"""A real Docker Engine that dies, is stopped, freezes and lies, under the agent's hands.

What the agent told the server, and what the engine has in the end, are asserted; the constants of
the watch are shorter than in life, and given by construction.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.acs.task_messages import RestartPolicy, Task
from moorage.agent.engine.lifecycle import ENGINE_LOST, GHOST
from moorage.agent.runtime.docker import DockerRuntime
from moorage.agent.vigil import Rhythm
from moorage.agent.watching import Timing
from tests.agent.rig import Rig, task
from tests.engine import Engine

pytestmark = pytest.mark.engine

IMAGE = "127.0.0.1:1/busybox:1"  # nobody listens there: the engine's own image serves
HEEDS = ("sh", "-c", "trap 'exit 7' TERM; while true; do sleep 0.05; done")
TIMING = Timing(
    rhythm=Rhythm(period_seconds=0.3, answer_seconds=0.5, return_seconds=0.1),
    patrol_seconds=0.4,
)
NOTICED_SECONDS = 5.0  # on a busy machine; about one second on a quiet one
ALWAYS = RestartPolicy(enabled=True, restart_attempt_period=60)


@pytest.fixture(scope="module", params=[()], ids=["own"])
def own(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine that may be killed."""
    engine = Engine(*request.param)
    try:
        engine.start()
        engine.busybox(IMAGE)
        yield engine
    finally:
        engine.purge()


def mine(number: int, desired: str = "RUNNING", **members: object) -> Task:
    return task(number, desired, image=IMAGE, command=HEEDS, **members)


def tell(story, own: Engine, folder: Path) -> Rig:
    """Play a story on a host whose engine is `own`, and leave that without containers."""

    async def whole() -> Rig:
        async with DockerRuntime(own.socket) as runtime:
            rig = Rig(folder, runtime, TIMING)
            async with rig.running():
                await story(rig)
            return rig

    try:
        return asyncio.run(whole())
    finally:
        if not own.answers():
            own.start()
        own.clean()


def rows(own: Engine) -> list[dict]:
    return json.loads(own.call("GET", "/containers/json?all=1")[1])


def names(own: Engine, *states: str) -> list[str]:
    return sorted(row["Names"][0] for row in rows(own) if not states or row["State"] in states)


def state_of(own: Engine, container: str) -> dict:
    return json.loads(own.call("GET", f"/containers/{container}/json")[1])["State"]


async def impaired(rig: Rig, *, within_seconds: float = NOTICED_SECONDS) -> None:
    async with asyncio.timeout(within_seconds):
        await rig.until(lambda: bool(rig.statuses) and rig.statuses[-1].impaired)
    assert (rig.statuses[-1].reason or "").startswith("EngineLost: ")


async def fine(rig: Rig) -> None:
    await rig.until(lambda: bool(rig.statuses) and not rig.statuses[-1].impaired)


def ended(rig: Rig, number: int) -> tuple[str | None, str | None, int | None]:
    """How a task was told to have ended: its reason, its container's, and that one's exit code."""
    report = next(r for r in rig.reports if r.task == task(number).arn and r.status == "STOPPED")
    return report.reason, report.containers[0].reason, report.containers[0].exit_code


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_an_engine_that_ends_takes_the_blame(own: Engine, tmp_path: Path, how: str) -> None:
    async def story(rig: Rig) -> None:
        rig.give(mine(1), mine(2, restart_policy=ALWAYS), mine(3))
        await rig.until(lambda: all(rig.told(n) == ["RUNNING"] for n in (1, 2, 3)))
        ending = asyncio.ensure_future(asyncio.to_thread(getattr(own, how)))
        await impaired(rig)
        heard = len(rig.said)
        rig.give(mine(3, "STOPPED"), mine(4))
        await rig.until(lambda: len(rig.said) == heard + 2)  # kept, and performed later
        assert rig.told(1) == rig.told(3) == ["RUNNING"]
        await ending
        await asyncio.to_thread(own.start)
        await fine(rig)
        await rig.until(
            lambda: [rig.told(n)[-1:] for n in (1, 3, 4)] == [["STOPPED"], ["STOPPED"], ["RUNNING"]]
        )
        await rig.until(lambda: len(names(own, "running")) == 2)
        assert rig.told(1) == ["RUNNING", "STOPPED"]
        assert rig.told(2) == ["RUNNING"]

    rig = tell(story, own, tmp_path)
    assert ended(rig, 1) == (ENGINE_LOST, ENGINE_LOST, 7)
    assert ended(rig, 3)[1] is None


def test_a_frozen_engine_holds_up_nothing_but_itself(own: Engine, tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(mine(1), mine(2))
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING"])
        own.freeze()
        try:
            # Out before the loss is noticed: given up, and done by the engine when it goes on.
            rig.give(mine(3), mine(1, "STOPPED"))
            await impaired(rig)
            heard = len(rig.said)
            rig.give(mine(4))
            await rig.until(lambda: len(rig.said) == heard + 1)
            assert rig.watch.breaker.abandoned > 0
            assert rig.watch.breaker.out == 0
        finally:
            own.thaw()
        await fine(rig)
        await rig.until(lambda: rig.told(1)[-1] == "STOPPED")
        await rig.until(lambda: rig.told(3) == rig.told(4) == ["RUNNING"])
        assert rig.told(2) == ["RUNNING"]
        assert len(names(own)) == 4
        assert len(names(own, "running")) == 3

    tell(story, own, tmp_path)


def test_a_ghost_is_told_and_removed(own: Engine, tmp_path: Path) -> None:
    """Containerd stands still while a container's process and its shim die: dockerd knows nothing."""

    async def story(rig: Rig) -> None:
        rig.give(mine(1), mine(2))
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING"])
        victim = rig.reports[0].containers[0].runtime_id or ""
        number = next(n for n in (1, 2) if rig.reports[0].task == task(n).arn)
        process = state_of(own, victim)["Pid"]
        with frozen_containerd(own):
            os.kill(parent(process), signal.SIGKILL)
            os.kill(process, signal.SIGKILL)
            assert state_of(own, victim)["Running"]
            await rig.until(lambda: rig.told(number) == ["RUNNING", "STOPPED"])
            assert ended(rig, number) == (GHOST, GHOST, None)
            assert rig.told(3 - number) == ["RUNNING"]
        await rig.until(lambda: len(names(own)) == 1)
        assert rig.told(3 - number) == ["RUNNING"]

    tell(story, own, tmp_path)


@pytest.mark.parametrize("own", [("--live-restore",)], ids=["live-restore"], indirect=True)
def test_what_outlives_its_engine_stays(own: Engine, tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        rig.give(mine(1), mine(2))
        await rig.until(lambda: rig.told(1) == rig.told(2) == ["RUNNING"])
        lives, dies = (report.containers[0].runtime_id or "" for report in rig.reports)
        told = [next(n for n in (1, 2) if r.task == task(n).arn) for r in rig.reports]
        process, other = state_of(own, lives)["Pid"], state_of(own, dies)["Pid"]
        await asyncio.to_thread(own.kill)
        await impaired(rig)
        os.kill(other, signal.SIGKILL)
        await asyncio.to_thread(own.start)
        await fine(rig)
        await rig.until(lambda: rig.told(told[1]) == ["RUNNING", "STOPPED"])
        assert ended(rig, told[1])[:2] == (ENGINE_LOST, ENGINE_LOST)
        assert rig.told(told[0]) == ["RUNNING"]
        assert state_of(own, lives)["Pid"] == process

    tell(story, own, tmp_path)


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


@contextlib.contextmanager
def frozen_containerd(own: Engine) -> Iterator[None]:
    """The engine's containerd stands still."""
    mark = f"{own.home}/exec/containerd/containerd.toml".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(int(process.name))
    assert found
    for each in found:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in found:
            os.kill(each, signal.SIGCONT)
