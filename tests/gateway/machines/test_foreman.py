"""Orders are carried out, failures are noted and tried again, what has gone is made anew."""

import asyncio
import contextlib
from concurrent.futures import Future

from moorage.ecs.api import AGENT
from moorage.ecs.store import machines as machine_store
from moorage.gateway.machines.foreman import Foreman, Sourced, configure
from moorage.gateway.machines.memory import MemoryMachines
from moorage.gateway.machines.port import MachinesFailed, Order
from moorage.gateway.pools import PoolSettings
from moorage.ground.instant import minutes, seconds
from moorage.ground.record import evolve
from moorage.sql.transaction import Change, StoreFailed
from tests.ecs.operations.pools_scene import (
    POOL,
    a_house,
    a_rule,
    join,
    known_machines,
    live_hosts,
)
from tests.gateway.ground import until


class Scene:
    """A house whose pool keeps one host, and the foreman who sees to it."""

    def __init__(self, source: MemoryMachines | None = None, through=None, **settings) -> None:
        rule = a_rule(size_min=1)
        self.house = a_house(rule)
        configure(self.house.database, self.house.site)
        self.source = source or MemoryMachines()
        given = {
            "source": "command",
            "create": ("x",),
            "destroy": ("x",),
            "survey_seconds": 3600.0,
        } | settings
        self.foreman = Foreman(
            through(self.house.database) if through else self.house.database,
            self.house.clock,
            self.house.site,
            [Sourced(rule=rule, settings=PoolSettings(**given), source=self.source)],
        )
        self.house.database.watch(self.foreman.changed)

    def look(self) -> None:
        """The pool's controller decides."""
        self.house.write(lambda call: call.tx.wake("pool", f"{rule_key()}"))
        self.house.settle()

    def statuses(self) -> list[str]:
        return [one.status for one in known_machines(self.house)]

    async def run(self, story) -> None:
        running = asyncio.create_task(self.foreman.run())
        try:
            await story()
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            self.house.close()


def rule_key() -> str:
    rule = a_rule()
    return f"{rule.account}/{rule.region}/{rule.name}"


def test_a_machine_is_made_joins_and_is_made_again_when_it_has_gone():
    scene = Scene(survey_seconds=1.0)

    async def story() -> None:
        scene.look()
        await until(lambda: scene.statuses() == ["JOINING"])
        (name,) = scene.source.orders
        order = scene.source.orders[name]
        assert (order.pool, order.cluster) == (POOL, "default")
        assert order.endpoint == "http://registry.test:4750"
        assert order.token
        host = join(scene.house, name)
        assert scene.statuses() == ["JOINED"]
        scene.source.orders.clear()
        scene.house.clock.advance(minutes(1))
        await asyncio.sleep(1.5)
        assert scene.statuses() == ["JOINED"], "its host is connected: it is there"
        scene.house.write(lambda call: AGENT.disconnected(call, host.instance, "closed"))
        await until(lambda: scene.source.made == 2)
        assert set(scene.source.orders) == {name}

    asyncio.run(scene.run(story))


def test_what_cannot_be_made_is_tried_so_often_and_its_pool_pauses():
    scene = Scene(tries=2)
    scene.source.broken = "no credit"

    async def story() -> None:
        scene.look()
        await until(lambda: known_machines(scene.house)[0].tries == 1)
        assert known_machines(scene.house)[0].reason == "no credit"
        scene.house.clock.advance(seconds(6))
        scene.foreman._bell.set()
        await until(lambda: scene.statuses() == ["DESTROYING"])
        await until(lambda: known_machines(scene.house)[0].tries == 1)
        scene.source.broken = ""
        scene.house.clock.advance(seconds(6))
        scene.foreman._bell.set()
        await until(lambda: not scene.statuses())
        scene.look()
        assert not scene.statuses(), "the pool pauses"
        scene.house.pass_time(minutes(2))
        await until(lambda: scene.statuses() == ["JOINING"])

    asyncio.run(scene.run(story))


def test_a_destroyed_machine_takes_its_host_with_it():
    scene = Scene()

    async def story() -> None:
        scene.look()
        await until(lambda: scene.statuses() == ["JOINING"])
        (name,) = scene.source.orders
        join(scene.house, name)
        (machine,) = known_machines(scene.house)
        scene.house.write(
            lambda call: machine_store.write(
                call.tx, evolve(machine, status="DESTROYING", due_at=scene.house.clock.now())
            )
        )
        await until(lambda: not scene.source.orders)
        await until(lambda: not known_machines(scene.house))
        assert not live_hosts(scene.house)

    asyncio.run(scene.run(story))


def test_machines_that_no_row_knows_are_told_once(caplog):
    scene = Scene(survey_seconds=1.0)
    first = Order(
        name=f"{POOL}-0123456789ab", pool=POOL, cluster="default", region="", account="",
        endpoint="", token="", zone="", attributes={},
    )  # fmt: skip

    async def story() -> None:
        await scene.source.create(first)
        await scene.source.create(evolve(first, name="somebody-elses"))
        await until(lambda: "never ordered" in caplog.text)
        scene.look()
        await until(lambda: scene.statuses() == ["JOINING"])
        assert set(scene.source.orders) > {first.name, "somebody-elses"}

    asyncio.run(scene.run(story))
    assert caplog.text.count("never ordered") == 1
    assert first.name in caplog.text
    assert "somebody-elses" not in caplog.text


def test_an_order_that_breaks_off_by_a_fault_of_ours_is_not_begun_again_at_once(caplog):
    class Faulty(MemoryMachines):
        async def create(self, order: Order) -> None:
            self.made += 1
            raise AssertionError(order.name)

    scene = Scene(source=Faulty())

    async def story() -> None:
        scene.look()
        await until(lambda: "broke off" in caplog.text)
        scene.foreman.changed([Change(kind="machine", key="any")])
        await until(lambda: scene.statuses() == ["CREATING"])
        assert scene.source.made == 1

    asyncio.run(scene.run(story))


class Full:
    """A database that refuses one write where it is told to."""

    def __init__(self, database) -> None:
        self.database = database
        self.read = database.read
        self.refuses = False

    def write(self, work):
        if not self.refuses:
            return self.database.write(work)
        self.refuses = False
        refused = Future()
        refused.set_exception(StoreFailed("The disk is full."))
        return refused


def test_a_failure_that_cannot_be_written_down_now_is_met_again(caplog):
    full = []

    def through(database) -> Full:
        full.append(Full(database))
        return full[0]

    class Empty(MemoryMachines):
        async def create(self, _order: Order) -> None:
            self.made += 1
            full[0].refuses = self.made == 1
            raise MachinesFailed("There is none.")

    scene = Scene(source=Empty(), through=through)

    async def story() -> None:
        scene.look()
        await until(lambda: scene.source.made == 2)

    asyncio.run(scene.run(story))
    assert "not written down now: The disk is full." in caplog.text
    assert "broke off" not in caplog.text
