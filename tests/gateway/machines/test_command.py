"""Commands of the operator's: what they are told, and what becomes of those that misbehave."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from moorage.gateway.machines.command import CommandMachines
from moorage.gateway.machines.port import MachinesFailed
from moorage.gateway.pools import PoolSettings
from tests.contract.machines import MachinesContract, an_order
from tests.gateway.ground import until


def a_pool(**members):
    given = {"source": "command", "create": ("false",), "destroy": ("false",)} | members
    return PoolSettings(**given)


def scripts(folder):
    """A source whose machines are files."""
    place = folder / "machines"
    place.mkdir(exist_ok=True)

    def sh(text):
        return ("/bin/sh", "-c", text.format(place=place))

    return a_pool(
        create=sh("env > {place}/$MOORAGE_HOST_NAME"),
        destroy=sh("rm -f {place}/$MOORAGE_HOST_NAME"),
        listing=sh("ls {place}"),
    )


class TestCommand(MachinesContract):
    def source(self, folder):
        return CommandMachines("spare", scripts(folder))


def test_a_command_is_told_in_its_environment_alone(tmp_path):
    source = CommandMachines("spare", scripts(tmp_path))
    order = an_order("spare-1", zone="rack-1", attributes={"disk": "ssd", "arch": "arm"})
    asyncio.run(source.create(order))
    told = dict(
        line.split("=", 1)
        for line in (tmp_path / "machines" / "spare-1").read_text().splitlines()
        if line.startswith("MOORAGE_")
    )
    assert told == {
        "MOORAGE_ACCOUNT": "111122223333",
        "MOORAGE_ATTRIBUTES": "arch=arm,disk=ssd",
        "MOORAGE_CLUSTER": "default",
        "MOORAGE_ENDPOINT": "http://127.0.0.1:1",
        "MOORAGE_HOST_NAME": "spare-1",
        "MOORAGE_IDEMPOTENCY_KEY": "spare-1",
        "MOORAGE_JOIN_TOKEN": "secret-of-spare-1",
        "MOORAGE_POOL": "spare",
        "MOORAGE_REGION": "us-east-1",
        "MOORAGE_ZONE": "rack-1",
    }


def test_what_a_command_says_last_is_the_reason_without_the_token():
    script = 'echo first >&2; echo "no machine with $MOORAGE_JOIN_TOKEN" >&2; exit 3'
    source = CommandMachines("spare", a_pool(create=("/bin/sh", "-c", script)))
    with pytest.raises(MachinesFailed) as caught:
        asyncio.run(source.create(an_order("spare-1")))
    assert str(caught.value) == "/bin/sh ended with 3: no machine with ..."


def test_a_command_that_is_not_there_is_a_reason():
    source = CommandMachines("spare", a_pool(create=("/nowhere/make-host",)))
    with pytest.raises(MachinesFailed, match="/nowhere/make-host could not be started"):
        asyncio.run(source.create(an_order("spare-1")))


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path):
    pid_file = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {pid_file}; wait"
    source = CommandMachines("spare", a_pool(create=("/bin/sh", "-c", script), timeout_seconds=1.0))
    with pytest.raises(MachinesFailed, match="did not end within 1 s and was killed"):
        asyncio.run(source.create(an_order("spare-1")))
    pid = int(pid_file.read_text())

    def ended() -> bool:
        try:
            with Path(f"/proc/{pid}/stat").open() as stat:
                return stat.read().rpartition(")")[2].split()[0] in {"Z", "X"}
        except FileNotFoundError:
            return True

    async def waited() -> None:
        await until(ended)

    asyncio.run(waited())


def test_a_flood_of_words_is_read_and_forgotten():
    script = "import sys; sys.stdout.write('x' * 3_000_000); print(); print('spare-7')"
    source = CommandMachines("spare", a_pool(listing=(sys.executable, "-c", script)))
    assert "spare-7" in (asyncio.run(source.list()) or ())


def test_without_a_list_nobody_can_tell():
    assert asyncio.run(CommandMachines("spare", a_pool()).list()) is None


def test_the_secrets_of_the_server_are_not_handed_on(tmp_path):
    os.environ["MOORAGE_DATABASE"] = "postgresql://u:secret@h/d"
    try:
        asyncio.run(CommandMachines("spare", scripts(tmp_path)).create(an_order("spare-1")))
    finally:
        del os.environ["MOORAGE_DATABASE"]
    assert "postgresql" not in (tmp_path / "machines" / "spare-1").read_text()
