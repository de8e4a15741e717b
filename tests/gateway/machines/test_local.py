"""Agents of this machine: processes that are started once, found again, and ended."""

import asyncio
import os
import signal
from pathlib import Path

from moorage.gateway.machines.local import LocalMachines, loopback
from moorage.gateway.pools import PoolSettings
from tests.contract.machines import MachinesContract, an_order

POOL = PoolSettings(
    source="local", cpu=256, memory=256, docker="/nowhere/docker.sock", zone="rack-1"
)


class TestLocal(MachinesContract):
    def source(self, folder):
        return LocalMachines("spare", POOL, folder)


def process_of(folder, name):
    """The process id of a machine's agent."""
    return int((folder / "agents" / name / "agent.pid").read_text().split()[0])


def words_of(pid):
    """What a process was started with."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def test_the_token_is_no_argument_and_a_machine_outlives_who_made_it(tmp_path):
    async def story() -> None:
        first = LocalMachines("spare", POOL, tmp_path)
        order = an_order("spare-1", attributes={"disk": "ssd"}, zone="rack-1")
        await first.create(order)
        pid = process_of(tmp_path, "spare-1")
        words = words_of(pid)
        assert order.token not in " ".join(words)
        assert {"--name", "spare-1", "--zone", "rack-1", "disk=ssd", "256"} <= set(words)
        second = LocalMachines("spare", POOL, tmp_path)
        assert await second.list() == {"spare-1"}
        await second.create(order)
        assert process_of(tmp_path, "spare-1") == pid
        assert await LocalMachines("other", POOL, tmp_path).list() == frozenset()
        os.kill(pid, signal.SIGKILL)
        await first._children["spare-1"].wait()
        assert await second.list() == frozenset()
        await second.create(order)
        assert process_of(tmp_path, "spare-1") != pid
        await second.aclose()
        assert await second.list() == frozenset()
        assert (tmp_path / "agents" / "spare-1").is_dir(), "who ends with the server comes back"
        await second.destroy("spare-1")
        assert not (tmp_path / "agents" / "spare-1").exists()

    async def told() -> None:
        try:
            await story()
        finally:
            await LocalMachines("spare", POOL, tmp_path).destroy("spare-1")

    asyncio.run(told())


def test_each_host_publishes_on_an_address_of_its_own():
    found = {loopback(f"spare-{number}") for number in range(50)}
    assert len(found) == 50
    assert all(one.startswith("127.") for one in found)
