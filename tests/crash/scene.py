"""One place to kill: a zygote of servers, two scripted hosts, and what must hold afterwards."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.clients.processes import ROOT, clean_environment, free_port
from tests.crash.agent import Memory, ScriptedAgent
from tests.crash.caller import Caller, Outcome
from tests.crash.database import NEVER, Moment

START_SECONDS_MAX = 20.0
CONVERGED_SECONDS_MAX = 20.0
POLL_SECONDS = 0.02
HOSTS = 2
SETTINGS = {"settle_seconds": 0.2, "disk_reserve_mib": 0, "lost_seconds": 30.0}
NEVER_MOMENT: Moment = "before"


class Zygote:
    """Makes servers by fork."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def started(cls) -> AsyncIterator["Zygote"]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crash.zygote"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env=clean_environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}"),
        )
        try:
            yield cls(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def fork(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()
        return int(await self._process.stdout.readline())


class Prepared:
    """What a run begins with: a data folder, the hosts' memories, and the name of a database."""

    def __init__(self, data: Path, memories: list[Memory], database: str) -> None:
        self.data = data
        self.memories = memories
        self.database = database


class Scene:
    """One server after another on one data folder, and the hosts that outlive them."""

    def __init__(self, zygote: Zygote, data: Path, session: aiohttp.ClientSession) -> None:
        self.zygote = zygote
        self.data = data
        self.session = session
        self.database = ""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.pid = 0
        self.agents: list[ScriptedAgent] = []
        self.seed = 1
        self.settings: dict[str, Any] = dict(SETTINGS)

    # --- the server ------------------------------------------------------------------------------

    async def start(self, at: int = NEVER, moment: Moment = NEVER_MOMENT) -> None:
        """Fork a server, and wait until it answers."""
        settings = {
            **self.settings,
            "data": str(self.data),
            "listen": f"127.0.0.1:{self.port}",
            "database": self.database,
        }
        self.pid = await self.zygote.fork(
            {
                "settings": settings,
                "at": at,
                "moment": moment,
                "seed": self.seed,
                "log": str(self.data.parent / "server.log"),
            }
        )
        await self.until(self._healthy, START_SECONDS_MAX, "the server answers")

    async def _healthy(self) -> bool:
        assert self.alive(), f"the server ended:\n{self.log()}"
        try:
            async with self.session.get(f"{self.url}/healthz") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    def alive(self) -> bool:
        return self.pid != 0 and Path(f"/proc/{self.pid}").exists()

    def arm(self) -> None:
        os.kill(self.pid, signal.SIGUSR1)

    async def kill(self, number: int = signal.SIGKILL) -> None:
        """End the server that is there, if one is."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        await self.until(self._gone, START_SECONDS_MAX, "the server is gone")

    async def _gone(self) -> bool:
        return not self.alive()

    def log(self) -> str:
        path = self.data.parent / "server.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def points(self) -> int:
        """How many points were counted by the last server."""
        tally = self.data / "tally"
        return int((tally.exists() and tally.read_text()) or 0)

    # --- who calls -------------------------------------------------------------------------------

    @property
    def ask(self) -> Caller:
        key = json.loads((self.data / "keys" / "root.json").read_text())
        return Caller(self.url, key, self.session)

    async def service(self, name: str = "web") -> dict[str, Any]:
        told = await self.ask.surely("DescribeServices", cluster="default", services=[name])
        found: dict[str, Any] = told["services"][0] if told["services"] else {"status": "MISSING"}
        return found

    async def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        listed = await self.ask.surely("ListTasks", cluster="default", desiredStatus=status)
        arns = listed["taskArns"]
        if not arns:
            return []
        told = await self.ask.surely("DescribeTasks", cluster="default", tasks=arns)
        found: list[dict[str, Any]] = told["tasks"]
        return found

    # --- hosts -----------------------------------------------------------------------------------

    async def add_hosts(self) -> None:
        made = await self.ask.must("CreateJoinToken", "moorage", cluster="default", uses=HOSTS)
        for number in range(HOSTS):
            agent = await ScriptedAgent.join(
                self.url, made["token"], f"host-{number}", self.session
            )
            self.agents.append(agent)
            agent.start()
        await self.connected()

    async def connected(self) -> None:
        """Wait until the server knows that every host is there.

        Rows alone do not tell: at first they say what the server before it knew.
        """

        async def look() -> bool:
            if not all(agent.welcomed for agent in self.agents):
                return False
            listed = await self.ask.surely("ListContainerInstances", cluster="default")
            told = await self.ask.surely(
                "DescribeContainerInstances",
                cluster="default",
                containerInstances=listed["containerInstanceArns"],
            )
            here = [one for one in told["containerInstances"] if one["agentConnected"]]
            return len(here) == len(self.agents)

        await self.until(look, START_SECONDS_MAX, "every host is connected")

    def running(self) -> list[str]:
        """What runs on the hosts themselves."""
        return sorted(arn for agent in self.agents for arn in agent.running())

    async def end(self) -> None:
        for agent in self.agents:
            await agent.stop()
        self.agents = []
        if self.alive():
            await self.kill()

    # --- before and after ------------------------------------------------------------------------

    async def save(self, folder: Path) -> Prepared:
        """Keep this state, with the server stopped."""
        await self.kill(signal.SIGTERM)
        memories = [agent.snapshot() for agent in self.agents]
        await self.end()
        shutil.copytree(self.data, folder)
        return Prepared(folder, memories, self.database)

    async def restore(self, prepared: Prepared) -> None:
        """Begin from a state that was kept; the hosts dial as soon as there is a server."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(prepared.data, self.data)
        self.agents = []
        for memory in prepared.memories:
            agent = ScriptedAgent(self.url, memory, self.session)
            agent.memory = agent.snapshot()
            self.agents.append(agent)
            agent.start()

    async def until(self, look: Callable[[], Awaitable[object]], seconds: float, what: str) -> None:
        """Wait until `look` answers what is true; fail, naming what was waited for."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not await look():
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {what}\n{self.log()}")
            await asyncio.sleep(POLL_SECONDS)

    async def quiet(self, pause_seconds: float) -> None:
        """Wait until no commit has been counted for so long, or the server has died."""
        last, since = -1, asyncio.get_running_loop().time()
        deadline = since + CONVERGED_SECONDS_MAX
        while self.alive() and asyncio.get_running_loop().time() < deadline:
            now = asyncio.get_running_loop().time()
            count = self.points()
            if count != last:
                last, since = count, now
            elif now - since > pause_seconds:
                return
            await asyncio.sleep(POLL_SECONDS)


def check_hosts(scene: Scene) -> None:
    """No task was begun twice, and none ended that was not ordered to (I5, I15)."""
    for agent in scene.agents:
        for arn, run in agent.memory.runs.items():
            assert run.begun <= 1, (arn, run)
            if run.status == "STOPPED" and run.begun and not run.reason:
                assert run.ordered_to_stop, (arn, run)


async def check_rows(scene: Scene) -> None:
    """What the server says runs is what runs on the hosts, task by task (I5, I6)."""
    told = {task["taskArn"]: task for task in await scene.tasks()}
    assert sorted(told) == scene.running()
    assert {task["lastStatus"] for task in told.values()} <= {"RUNNING"}
    stopped = {task["taskArn"] for task in await scene.tasks("STOPPED")}
    assert not stopped & set(scene.running())


def accepted(outcome: Outcome) -> bool:
    """Whether a call was acknowledged; any answer but that and 503 is a failure of the test."""
    assert outcome.status in {None, 200, 503}, outcome
    return outcome.acknowledged
