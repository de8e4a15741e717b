"""Drives the controllers on the real clock: changes and timers become due keys, each run once.

One loop a server. A controller that fails is tried again with a growing delay, and the others go
on: the trouble of one key is nobody else's.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence

from moorage.gateway.pace import Pace
from moorage.ground.clock import Clock
from moorage.ground.fault import Fault
from moorage.ground.instant import Duration, Instant, between, in_seconds, later, seconds
from moorage.kernel.agenda import Agenda, Key
from moorage.kernel.call import Turn
from moorage.kernel.controller import Controller
from moorage.kernel.site import Site
from moorage.sql.engine import Database
from moorage.sql.transaction import Change, Transaction

KEYS_AT_ONCE = 16
REST_SECONDS_MIN = 0.002
IDLE_SECONDS_MAX = 5.0
RETRY_SECONDS = 0.5
RETRY_SECONDS_MAX = 60.0
_log = logging.getLogger("moorage.runner")


class Runner:
    """The controllers of this server, and their agenda."""

    def __init__(
        self, database: Database, clock: Clock, site: Site, controllers: Sequence[Controller]
    ) -> None:
        """Take the table of controllers; several may be woken by one kind of change."""
        self._database = database
        self._clock = clock
        self._site = site
        self._agenda = Agenda()
        self._controllers = {controller.name: controller for controller in controllers}
        self._woken: Mapping[str, list[str]] = _by_kind(controllers)
        self._failures: dict[Key, int] = {}
        self._pace = Pace()
        self._bell = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._stopping = False

    def changed(self, changes: Sequence[Change]) -> None:
        """Take in committed changes; called from any thread."""
        keys = [
            (name, change.key) for change in changes for name in self._woken.get(change.kind, ())
        ]
        if keys:
            with contextlib.suppress(
                RuntimeError
            ):  # the loop has ended: the next start looks at all
                self._loop.call_soon_threadsafe(self._wake, keys)

    async def run(self) -> None:
        """Converge whatever is due, until stopped. Every key there is, is due once at first."""
        for controller in self._controllers.values():
            await self._wake_all(controller)
        running: set[asyncio.Task[None]] = set()
        while not self._stopping:
            for key in self._agenda.take(self._clock.now(), KEYS_AT_ONCE - len(running)):
                task = asyncio.create_task(self._turn(key))
                running.add(task)
                task.add_done_callback(running.discard)
                task.add_done_callback(lambda _: self._bell.set())
            await self._rest(len(running))
        if running:
            await asyncio.wait(running)

    def stop(self) -> None:
        """Let the present turns finish and start no more."""
        self._stopping = True
        self._bell.set()

    def _wake(self, keys: Sequence[Key]) -> None:
        self._agenda.wake(keys)
        self._bell.set()

    async def _wake_all(self, controller: Controller) -> None:
        """Make every key of a controller due, as soon as the database tells them."""

        def keys(tx: Transaction) -> list[str]:
            return list(controller.keys(tx))

        while not self._stopping:
            try:
                found = await asyncio.wrap_future(self._database.read(keys))
            except Fault as fault:
                _log.warning("%s: the keys are not known now: %s", controller.name, fault.message)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._agenda.begin((controller.name, key) for key in found)
            return

    async def _rest(self, running: int) -> None:
        if self._agenda.is_due and running < KEYS_AT_ONCE:
            return
        look = self._agenda.next_look()
        wait = IDLE_SECONDS_MAX
        if look is not None:
            wait = min(wait, max(0.0, in_seconds(between(self._clock.now(), look))))
        ring = self._loop.call_later(wait, self._bell.set)
        try:
            await self._bell.wait()
        finally:
            ring.cancel()
        self._bell.clear()

    async def _turn(self, key: Key) -> None:
        name, resource = key
        controller = self._controllers[name]

        spent = Duration(0)

        def work(tx: Transaction) -> Instant | None:
            nonlocal spent
            began = self._clock.monotonic()
            look_again = controller(Turn(tx=tx, site=self._site), resource)
            spent = Duration(self._clock.monotonic() - began)
            return look_again

        try:
            look_again = await asyncio.wrap_future(self._database.write(work))
            self._failures.pop(key, None)
        except Fault as fault:
            _log.warning("%s of %s is not done now: %s", name, resource, fault.message)
            look_again = self._retry_at(key)
        except Exception:  # noqa: BLE001 - one key's trouble stops no other; it is logged and retried
            _log.exception("the controller %s failed for %s", name, resource)
            look_again = self._retry_at(key)
        # Until then it counts as running: what wakes it meanwhile makes it due once it has rested.
        rest_seconds = self._pace.rest_seconds(self._clock.monotonic(), spent)
        if rest_seconds < REST_SECONDS_MIN:
            self._agenda.finish(key, look_again)
        else:
            self._loop.call_later(rest_seconds, self._rested, key, look_again)

    def _rested(self, key: Key, look_again: Instant | None) -> None:
        self._agenda.finish(key, look_again)
        self._bell.set()

    def _retry_at(self, key: Key) -> Instant:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = min(RETRY_SECONDS_MAX, RETRY_SECONDS * 2 ** min(failures - 1, 10))
        return later(self._clock.now(), seconds(delay))


def _by_kind(controllers: Sequence[Controller]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for controller in controllers:
        found.setdefault(controller.kind, []).append(controller.name)
    return found
