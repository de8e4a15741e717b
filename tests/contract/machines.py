"""What every source of machines promises; each adapter's test file subclasses MachinesContract."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from moorage.gateway.machines.port import Machines, Order

ROUNDS = 3


def an_order(name: str, **members) -> Order:
    """An order for a machine of the pool `spare`."""
    given = {
        "name": name,
        "pool": "spare",
        "cluster": "default",
        "region": "us-east-1",
        "account": "111122223333",
        "endpoint": "http://127.0.0.1:1",
        "token": f"secret-of-{name}",
    }
    return Order(**(given | members))


class MachinesContract(ABC):
    """The suite; `source` opens one that has no machine yet."""

    @abstractmethod
    def source(self, folder: Path) -> Machines: ...

    @pytest.fixture
    def told(self, tmp_path: Path) -> Callable[[Callable[[Machines], Awaitable[None]]], None]:
        """Run a story with a fresh source, and close it whatever happens."""

        def run(story: Callable[[Machines], Awaitable[None]]) -> None:
            async def whole() -> None:
                source = self.source(tmp_path)
                try:
                    await story(source)
                finally:
                    for name in await source.list() or ():
                        await source.destroy(name)
                    await source.aclose()

            asyncio.run(whole())

        return run

    def test_a_source_begins_without_machines(self, told):
        async def story(source: Machines) -> None:
            assert await source.list() == frozenset()
            await source.destroy("spare-0001")
            assert await source.list() == frozenset()

        told(story)

    def test_what_is_made_is_there_until_it_is_unmade(self, told):
        async def story(source: Machines) -> None:
            await source.create(an_order("spare-0001"))
            await source.create(an_order("spare-0002"))
            assert await source.list() == {"spare-0001", "spare-0002"}
            await source.destroy("spare-0001")
            assert await source.list() == {"spare-0002"}
            await source.destroy("spare-0001")
            assert await source.list() == {"spare-0002"}

        told(story)

    def test_made_twice_it_is_one_machine(self, told):
        async def story(source: Machines) -> None:
            for _ in range(ROUNDS):
                await source.create(an_order("spare-0001"))
            assert await source.list() == {"spare-0001"}
            await source.destroy("spare-0001")
            assert await source.list() == frozenset()
            await source.create(an_order("spare-0001"))
            assert await source.list() == {"spare-0001"}

        told(story)

    def test_many_are_made_and_unmade_at_once(self, told):
        names = [f"spare-{number:04}" for number in range(4)]

        async def story(source: Machines) -> None:
            await asyncio.gather(*(source.create(an_order(name)) for name in names))
            assert await source.list() == set(names)
            await asyncio.gather(*(source.destroy(name) for name in names))
            assert await source.list() == frozenset()

        told(story)
