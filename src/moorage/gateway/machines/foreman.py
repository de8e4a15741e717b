"""Carries out the orders of pools: reads them, asks the sources, writes down what came of it.

Level, not edge: orders are rows. One that was under way when the server ended is begun again, which
the sources allow. Each machine has one order at a time, each pool a few under way at once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from moorage.ecs.records.machine import Machine
from moorage.ecs.store import machine_orders, machines, pools
from moorage.gateway.machines.port import Machines, MachinesFailed, Order
from moorage.gateway.pools import PoolSettings
from moorage.ground.clock import Clock
from moorage.ground.fault import Fault
from moorage.ground.instant import between, in_seconds, seconds
from moorage.ground.record import Record
from moorage.kernel.site import PoolRule, Site
from moorage.sql.engine import Database
from moorage.sql.transaction import Change, Transaction

ORDERS_AT_ONCE = 4
IDLE_SECONDS_MAX = 30.0
RETRY_SECONDS = 1.0
BROKEN_SECONDS = 10.0
# A token outlives the making of its machine by so much: clocks differ, and agents ask twice.
TOKEN_MARGIN_SECONDS = 300.0
_T = TypeVar("_T")
_log = logging.getLogger("moorage.pools")
Key = tuple[str, str, str]


class Sourced(Record):
    """A pool and where its machines come from."""

    rule: PoolRule
    settings: PoolSettings
    source: Machines


class Foreman:
    """The orders of all pools of one server."""

    def __init__(
        self, database: Database, clock: Clock, site: Site, sourced: Sequence[Sourced]
    ) -> None:
        """Take the pools; nothing is done before `run`."""
        self._database = database
        self._clock = clock
        self._site = site
        self._pools: Mapping[Key, Sourced] = {
            (one.rule.account, one.rule.region, one.rule.name): one for one in sourced
        }
        self._slots = {key: asyncio.Semaphore(ORDERS_AT_ONCE) for key in self._pools}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._strays: dict[Key, str] = {}
        self._bell = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def changed(self, changes: Sequence[Change]) -> None:
        """Take in committed changes; called from any thread."""
        if self._loop is not None and any(change.kind == machines.KIND for change in changes):
            with contextlib.suppress(RuntimeError):  # the loop has ended: the next start looks
                self._loop.call_soon_threadsafe(self._bell.set)

    async def run(self) -> None:
        """Carry out orders, and look what is there, until cancelled; then let the sources end."""
        self._loop = asyncio.get_running_loop()
        surveys = [asyncio.create_task(self._survey(key)) for key in self._pools]
        try:
            while True:
                self._bell.clear()
                wait = await self._begin()
                # Not wait_for: in Python 3.11 it forgets a cancellation that comes with the bell.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._bell.wait()
        finally:
            for task in (*surveys, *self._under_way.values()):
                task.cancel()
            await asyncio.gather(*surveys, *self._under_way.values(), return_exceptions=True)
            for one in self._pools.values():
                with contextlib.suppress(MachinesFailed):
                    await one.source.aclose()

    async def _begin(self) -> float:
        """Begin what is due; answers for how many seconds nothing else is."""
        try:
            ordered = await asyncio.wrap_future(self._database.read(machines.ordered))
        except Fault as fault:
            _log.warning("the orders of pools are not known now: %s", fault.message)
            return RETRY_SECONDS
        now, wait = self._clock.now(), IDLE_SECONDS_MAX
        for machine in ordered:
            sourced = self._pools.get((machine.account, machine.region, machine.pool))
            if sourced is None or machine.name in self._under_way:
                continue
            if machine.due_at > now:
                wait = min(wait, in_seconds(between(now, machine.due_at)))
                continue
            task = asyncio.create_task(self._carry_out(sourced, machine))
            self._under_way[machine.name] = task
            task.add_done_callback(partial(self._ended, machine.name))
        return wait

    def _ended(self, name: str, task: "asyncio.Task[None]") -> None:
        if task.cancelled():
            return
        if task.exception() is None:
            self._free(name)
            return
        # By a fault of ours, which may meet the next attempt as well: not at once.
        _log.error("the order of the machine %s broke off", name, exc_info=task.exception())
        asyncio.get_running_loop().call_later(BROKEN_SECONDS, self._free, name)

    def _free(self, name: str) -> None:
        self._under_way.pop(name, None)
        self._bell.set()

    async def _carry_out(self, sourced: Sourced, machine: Machine) -> None:
        key = (machine.account, machine.region, machine.pool)
        async with self._slots[key]:
            try:
                await self._attempt(sourced, machine)
            except Fault as fault:
                _log.warning("%s: not written down now: %s", machine.name, fault.message)
                await asyncio.sleep(RETRY_SECONDS)

    async def _attempt(self, sourced: Sourced, machine: Machine) -> None:
        """Carry an order out, and write down what came of it; raises Fault where that fails."""
        try:
            if machine.status == "CREATING":
                await sourced.source.create(await self._order(sourced, machine))
                await self._write(lambda tx: machine_orders.made(tx, machine))
            else:
                await sourced.source.destroy(machine.name)
                await self._write(lambda tx: machine_orders.destroyed(tx, machine))
        except MachinesFailed as failure:
            reason, tries = str(failure), sourced.settings.tries
            _log.warning("%s of the pool %s: %s", machine.name, machine.pool, reason)
            await self._write(lambda tx: machine_orders.failed(tx, machine, reason, tries))

    async def _order(self, sourced: Sourced, machine: Machine) -> Order:
        """The order with a token of its own; raises MachinesFailed where there are too many."""
        settings = sourced.settings
        ttl = seconds(settings.timeout_seconds + settings.join_seconds + TOKEN_MARGIN_SECONDS)
        token = await self._write(lambda tx: machine_orders.token_for(tx, machine, ttl))
        if token is None:
            raise MachinesFailed("The account has too many join tokens that are good still.")
        return Order(
            name=machine.name,
            pool=machine.pool,
            cluster=machine.cluster,
            region=machine.region,
            account=machine.account,
            endpoint=self._site.endpoint,
            token=token,
            zone=settings.zone,
            attributes=settings.attributes,
        )

    async def _survey(self, key: Key) -> None:
        """Ask a source now and then what is there: what has gone is ordered anew."""
        sourced = self._pools[key]
        while True:
            await self._look(key, sourced)
            await asyncio.sleep(sourced.settings.survey_seconds)

    async def _look(self, key: Key, sourced: Sourced) -> None:
        asked_at = self._clock.now()
        try:
            there = await sourced.source.list()
            if there is None:
                return
            gone = await self._write(lambda tx: machine_orders.missing(tx, key, there, asked_at))
            stray = await asyncio.wrap_future(
                self._database.read(lambda tx: machine_orders.strays(tx, key, there))
            )
        except (MachinesFailed, Fault) as failure:
            _log.warning("what the pool %s has is not known now: %s", key[2], failure)
            return
        if gone:
            _log.warning("machines of the pool %s are gone: %s", key[2], ", ".join(gone))
        if stray and stray != self._strays.get(key):
            text = "the pool %s has machines that this server never ordered, or forgot: %s"
            _log.warning(f"{text}. Destroy them yourself if nobody needs them.", key[2], stray)
        self._strays[key] = stray

    async def _write(self, work: Callable[[Transaction], _T]) -> _T:
        return await asyncio.wrap_future(self._database.write(work))


def configure(database: Database, site: Site) -> None:
    """Have a row for each pool of the settings, before the controllers start."""
    database.write(lambda tx: pools.configure(tx, site.pools)).result()
