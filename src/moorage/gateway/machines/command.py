"""Machines of the operator's own making: commands that create, destroy and list them.

What a command is told stands in its environment, where no other user of the machine reads it: the
join token is never among its arguments, and never in a log. A command that takes too long is
ended with all its children.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence

from moorage.gateway.machines.port import MachinesFailed, Order
from moorage.gateway.pools import PoolSettings

OUTPUT_BYTES_MAX = 1024 * 1024
CHUNK_BYTES = 64 * 1024
REASON_LENGTH_MAX = 300
PREFIX = "MOORAGE_"
KILLED_SECONDS_MAX = 5.0
GONE = "..."


class CommandMachines:
    """The source of one pool."""

    def __init__(self, name: str, pool: PoolSettings) -> None:
        """Take the pool's commands, each an argument list that no shell reads."""
        self._name = name
        self._pool = pool

    async def create(self, order: Order) -> None:
        """Run `create`; done is what ends with 0. Raises MachinesFailed."""
        attributes = ",".join(f"{key}={value}" for key, value in sorted(order.attributes.items()))
        told = {
            "JOIN_TOKEN": order.token,
            "ENDPOINT": order.endpoint,
            "HOST_NAME": order.name,
            "IDEMPOTENCY_KEY": order.name,
            "CLUSTER": order.cluster,
            "REGION": order.region,
            "ACCOUNT": order.account,
            "ZONE": order.zone,
            "ATTRIBUTES": attributes,
        }
        await self._run(self._pool.create, told, secret=order.token)

    async def destroy(self, name: str) -> None:
        """Run `destroy`; raises MachinesFailed."""
        await self._run(self._pool.destroy, {"HOST_NAME": name, "IDEMPOTENCY_KEY": name})

    async def list(self) -> frozenset[str] | None:
        """Run `list`, which prints a name a line; None where there is no such command."""
        if not self._pool.listing:
            return None
        printed = await self._run(self._pool.listing, {})
        return frozenset(line.strip() for line in printed.splitlines() if line.strip())

    async def aclose(self) -> None:
        """Nothing: the machines are not of this process."""

    async def _run(self, command: Sequence[str], told: Mapping[str, str], secret: str = "") -> str:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        more = {f"{PREFIX}{key}": value for key, value in {"POOL": self._name, **told}.items()}
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**inherited, **more},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise MachinesFailed(f"{command[0]} could not be started: {error}") from error
        try:
            async with asyncio.timeout(self._pool.timeout_seconds):
                printed, complaint, code = await asyncio.gather(
                    _read(child.stdout), _read(child.stderr), child.wait()
                )
        except TimeoutError as error:
            raise MachinesFailed(
                f"{command[0]} did not end within {self._pool.timeout_seconds:g} s and was killed."
            ) from error
        finally:
            await _end(child)
        if code:
            last = complaint.strip().rpartition("\n")[2] or printed.strip().rpartition("\n")[2]
            said = (last.replace(secret, GONE) if secret else last)[:REASON_LENGTH_MAX]
            raise MachinesFailed(f"{command[0]} ended with {code}: {said or 'it said nothing'}")
        return printed


async def _read(stream: asyncio.StreamReader | None) -> str:
    """What a stream says to its end, the last so many bytes of it."""
    assert stream is not None, "both streams are pipes"
    kept = b""
    while chunk := await stream.read(CHUNK_BYTES):
        kept = (kept + chunk)[-OUTPUT_BYTES_MAX:]
    return kept.decode("utf-8", "replace")


async def _end(child: asyncio.subprocess.Process) -> None:
    """End what is left of a command: it, and whatever it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILLED_SECONDS_MAX):
            await child.wait()
