"""Keeps the processes of `moorage up` running: one server, some agents.

A child that ends is started again with a growing pause. SIGTERM ends the children and then the
supervisor; the containers run on. Progress is written for whoever waits for the start.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path

import aiohttp

from moorage.agent.options import TOKEN_VARIABLE
from moorage.cli.place import ADDRESS_FILE, OWN_TARGET, find, trusted_by
from moorage.cli.plan import PID_FILE, PROGRESS_FILE, HostPlan, Plan, read
from moorage.cli.processes import end_with_parent
from moorage.ground.clock import SystemClock
from moorage.ground.fault import Fault
from moorage.ground.instant import Duration, in_seconds
from moorage.shapes.moorage.host import CreateJoinTokenRequest, CreateJoinTokenResponse
from moorage.wire.client import Untrusted, connector_to

RESTART_SECONDS_FIRST = 0.5
RESTART_SECONDS_MAX = 30.0
# A child that ran so long starts afresh: its next end is not one in a row.
SETTLED_SECONDS = 60.0
HEALTH_POLL_SECONDS = 0.05
HEALTH_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 20.0
OUTPUT_BYTES_MAX = 8 * 1024 * 1024
TRIM_SECONDS = 30.0
TERMINAL_EXIT = 5  # an agent that ends so asks not to be started again
TOKEN_TTL_SECONDS = 600
ANSWER_SECONDS_MAX = 5.0

Variables = Callable[[], Awaitable[Mapping[str, str]]]


class Supervisor:
    """The children of one plan."""

    health_seconds_max = HEALTH_SECONDS_MAX

    def __init__(self, plan: Plan) -> None:
        """Take the plan; nothing is started yet."""
        self._plan = plan
        self._data = Path(plan.data)
        self._stopping = asyncio.Event()
        self._clock = SystemClock()

    async def run(self) -> int:
        """Start everything and keep it running until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        (self._data / PID_FILE).write_text(f"{os.getpid()}\n", "ascii")
        # The address of an earlier run may be another one.
        (self._data / ADDRESS_FILE).unlink(missing_ok=True)
        tasks = [
            asyncio.create_task(self._keep("server", self._server())),
            asyncio.create_task(self._trim()),
        ]
        try:
            healthy = await self._healthy()
            if healthy:
                self._say("server ready")
                for host in self._plan.hosts:
                    child = self._keep(host.name, self._agent(host), partial(self._joining, host))
                    tasks.append(asyncio.create_task(child))
                self._say("agents started")
                await self._stopping.wait()
            elif not self._stopping.is_set():
                self._say("failed: the server did not become healthy; see log/server.log")
        finally:
            self._stopping.set()
            await asyncio.gather(*tasks)
            (self._data / PID_FILE).unlink(missing_ok=True)
        return 0 if healthy else 1

    def _server(self) -> list[str]:
        plan = self._plan
        return [
            *_moorage("serve"),
            *("--data", plan.data),
            *("--listen", plan.address),
            *(word for name in plan.public_names for word in ("--public-name", name)),
            *("--settle-seconds", str(plan.settle_seconds)),
            "--log-to-file",
        ]

    async def _joining(self, host: HostPlan) -> dict[str, str]:
        """The token of a host that has not joined, where no other user of the machine sees it."""
        if (self._data / "agents" / host.name / "identity.json").exists():
            return {}
        return {TOKEN_VARIABLE: await asyncio.to_thread(self._token)}

    def _agent(self, host: HostPlan) -> list[str]:
        endpoint = self._endpoint()
        trusted = trusted_by(self._data, endpoint)
        return [
            *_moorage("agent"),
            *("--endpoint", endpoint),
            *(("--ca", trusted) if trusted else ()),
            *("--name", host.name),
            *("--data", str(self._data / "agents" / host.name)),
            *("--docker", self._plan.docker_socket),
            *("--publish-address", host.publish_address),
            *("--cpu", str(host.cpu)),
            *("--memory", str(host.memory)),
            *("--run", str(self._data / "run")),
            # Whose containers run here says nothing: other servers may have hosts on this engine.
            "--new-host",
            *(("--shared-engine",) if len(self._plan.hosts) > 1 else ()),
        ]

    def _token(self) -> str:
        request = CreateJoinTokenRequest(cluster="default", uses=1, ttl_seconds=TOKEN_TTL_SECONDS)
        answer = (
            find(self._data, None)
            .client()
            .call("moorage", OWN_TARGET, "CreateJoinToken", request, CreateJoinTokenResponse)
        )
        return answer.token or ""

    def _endpoint(self) -> str:
        """The URL that the server wrote down when it began to listen."""
        with contextlib.suppress(FileNotFoundError):
            return (self._data / ADDRESS_FILE).read_text("ascii").strip()
        return f"http://{self._plan.address}"

    async def _healthy(self) -> bool:
        deadline = self._clock.monotonic() + self.health_seconds_max * 1e6
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
        while self._clock.monotonic() < deadline and not self._stopping.is_set():
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, Untrusted):
                # Whom to trust is known once the server has written it down.
                endpoint = self._endpoint()
                trusted = trusted_by(self._data, endpoint)
                connector = connector_to(endpoint, Path(trusted) if trusted else None)
                async with (
                    aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                    session.get(f"{endpoint}/healthz") as answer,
                ):
                    if answer.status == 200:  # noqa: PLR2004 - HTTP's own number
                        return True
            await asyncio.sleep(HEALTH_POLL_SECONDS)
        return False

    async def _keep(
        self, name: str, command: list[str], variables: Variables | None = None
    ) -> None:
        """Run a child again and again; `variables` are asked for anew each time it starts."""
        pause = RESTART_SECONDS_FIRST
        while not self._stopping.is_set():
            began = self._clock.monotonic()
            how = await self._once(name, command, variables)
            if self._stopping.is_set() or how == str(TERMINAL_EXIT):
                break
            ran = in_seconds(Duration(self._clock.monotonic() - began))
            pause = RESTART_SECONDS_FIRST if ran > SETTLED_SECONDS else pause
            self._say(f"{name} ended with {how} after {ran:.1f} s; started again in {pause:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(RESTART_SECONDS_MAX, pause * 2)

    async def _once(self, name: str, command: list[str], variables: Variables | None) -> str:
        """Run a child to its end; its exit code, or why it could not be started."""
        try:
            more = await variables() if variables else {}
            with (self._data / "log" / f"{name}.out").open("ab") as output:
                child = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env={**os.environ, **more},
                    preexec_fn=end_with_parent,
                )
        except (Fault, OSError) as error:
            return str(error)
        ended = asyncio.create_task(child.wait())
        told = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not ended.done():
            child.terminate()
            try:
                await asyncio.wait_for(asyncio.shield(ended), STOP_SECONDS_MAX)
            except TimeoutError:
                child.kill()
        return str(await ended)

    async def _trim(self) -> None:
        """Keep what children print bounded: a file that has grown is copied aside and emptied."""
        while not self._stopping.is_set():
            for output in (self._data / "log").glob("*.out"):
                with contextlib.suppress(OSError):
                    if output.stat().st_size > OUTPUT_BYTES_MAX:
                        shutil.copyfile(output, output.with_suffix(".out.1"))
                        os.truncate(output, 0)  # the children append, and go on at the new end
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), TRIM_SECONDS)

    def _say(self, line: str) -> None:
        # What cannot be written down for want of room changes nothing of what is to be done.
        with (
            contextlib.suppress(OSError),
            (self._data / PROGRESS_FILE).open("a", encoding="utf-8") as file,
        ):
            file.write(line + "\n")


def main() -> None:
    """Run the plan of the data folder named on the command line."""
    plan = read(Path(sys.argv[1]))
    assert plan is not None, "the plan is written before its supervisor starts"
    sys.exit(asyncio.run(_run(plan)))


async def _run(plan: Plan) -> int:
    try:
        return await Supervisor(plan).run()
    except Fault as fault:
        with (Path(plan.data) / PROGRESS_FILE).open("a", encoding="utf-8") as file:
            file.write(f"failed: {fault}\n")
        return 1


def _moorage(command: str) -> list[str]:
    return [sys.executable, "-m", "moorage.cli.main", command]


if __name__ == "__main__":
    main()
