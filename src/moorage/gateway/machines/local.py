"""Machines that are agents on this machine: each a host of its own on the same engine.

They end with the server when it is stopped, and start with it again; whatever runs in containers
runs on meanwhile. After a crash of the server they are found again by their pid files.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
import sys
from pathlib import Path

from moorage.gateway.machines.port import MachinesFailed, Order
from moorage.gateway.pools import PoolSettings

PID_FILE = "agent.pid"
TOKEN_VARIABLE = "MOORAGE_JOIN_TOKEN"  # noqa: S105 - the name of it
STOP_SECONDS_MAX = 20.0
POLL_SECONDS = 0.05
# Where /proc/PID/stat says when a process started: what tells it from another of the same number.
START_FIELD = 19


class LocalMachines:
    """The source of one pool; `data` is the server's folder."""

    def __init__(self, name: str, pool: PoolSettings, data: Path) -> None:
        """Take the pool's share of the engine; nothing is started yet."""
        self._name = name
        self._pool = pool
        self._data = data
        self._children: dict[str, asyncio.subprocess.Process] = {}

    async def create(self, order: Order) -> None:
        """Start the machine's agent, unless it runs; raises MachinesFailed."""
        folder = self._folder(order.name)
        if _running(folder) is not None:
            return
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._data / "log").mkdir(exist_ok=True)
            with (self._data / "log" / f"{order.name}.out").open("ab") as output:
                child = await asyncio.create_subprocess_exec(
                    *self._command(order, folder),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env={**os.environ, TOKEN_VARIABLE: order.token},
                    start_new_session=True,
                )
            self._children[order.name] = child
            (folder / PID_FILE).write_text(f"{child.pid} {_started(child.pid)}\n", "ascii")
        except OSError as error:
            raise MachinesFailed(f"the agent {order.name} could not be started: {error}") from error

    async def destroy(self, name: str) -> None:
        """End the machine's agent and forget its folder; raises MachinesFailed."""
        folder = self._folder(name)
        await self._stop(name)
        try:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=False)
        except FileNotFoundError:
            return
        except OSError as error:
            raise MachinesFailed(f"{folder} could not be removed: {error}") from error

    async def list(self) -> frozenset[str] | None:
        """The machines of this pool whose agents run."""
        agents = self._data / "agents"
        names = [one.name for one in agents.glob(f"{self._name}-*")] if agents.is_dir() else []
        return frozenset(name for name in names if _running(agents / name) is not None)

    async def aclose(self) -> None:
        """Ask all agents to end; their containers run on."""
        names = await self.list() or ()
        await asyncio.gather(*(self._stop(name) for name in names))

    def _folder(self, name: str) -> Path:
        return self._data / "agents" / name

    def _command(self, order: Order, folder: Path) -> tuple[str, ...]:
        pool = self._pool
        return (
            *(sys.executable, "-m", "moorage.cli.main", "agent"),
            *("--endpoint", order.endpoint),
            *("--name", order.name),
            *("--data", str(folder)),
            *("--docker", pool.docker),
            *("--publish-address", pool.publish_address or loopback(order.name)),
            *("--cpu", str(pool.cpu)),
            *("--memory", str(pool.memory)),
            *(("--zone", order.zone) if order.zone else ()),
            *(
                word
                for key, value in sorted(order.attributes.items())
                for word in ("--attribute", f"{key}={value}")
            ),
            *("--run", str(self._data / "run")),
            "--new-host",
            "--shared-engine",
        )

    async def _stop(self, name: str) -> None:
        """End an agent, by force where it does not heed; raises MachinesFailed."""
        folder = self._folder(name)
        for order in (signal.SIGTERM, signal.SIGKILL):
            pid = _running(folder)
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, order)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS_MAX):
                    await self._gone(name, folder)
        if _running(folder) is not None:
            raise MachinesFailed(f"the agent {name} does not end.")

    async def _gone(self, name: str, folder: Path) -> None:
        child = self._children.pop(name, None)
        if child is not None:
            await child.wait()
        while _running(folder) is not None:  # noqa: ASYNC110 - not our child: nobody tells us
            await asyncio.sleep(POLL_SECONDS)


def loopback(name: str) -> str:
    """An address of this machine for the ports of one host's tasks: each may publish the same."""
    octets = hashlib.sha256(name.encode()).digest()
    return f"127.{64 + octets[0] % 64}.{octets[1]}.{1 + octets[2] % 254}"


def _running(folder: Path) -> int | None:
    """The process of a machine's agent if it lives, else None."""
    try:
        pid, started = (folder / PID_FILE).read_text("ascii").split()
        return int(pid) if started and _started(int(pid)) == started else None
    except (OSError, ValueError):
        return None


def _started(pid: int) -> str:
    """When a process was started, by its machine's clock of ticks; "" for one that has ended."""
    stat = (Path("/proc") / str(pid) / "stat").read_text("ascii", "replace")
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else fields[START_FIELD]
