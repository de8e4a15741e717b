"""The peer keeps the promises of the port, and fails when it is told to."""

import asyncio

import pytest

from moorage.gateway.machines.memory import MemoryMachines
from moorage.gateway.machines.port import MachinesFailed
from tests.contract.machines import MachinesContract, an_order


class TestMemory(MachinesContract):
    def source(self, folder):
        del folder
        return MemoryMachines()


def test_a_broken_one_says_so():
    source = MemoryMachines()
    source.broken = "no credit"
    for attempt in (source.create(an_order("spare-1")), source.destroy("spare-1"), source.list()):
        with pytest.raises(MachinesFailed, match="no credit"):
            asyncio.run(attempt)
