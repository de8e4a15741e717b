"""The key of this host: every thirty days, or when the server asks, another takes its place.

At no moment is none good. The server answers a new key beside the old one; it is stored, then used
for the first time (by registering again), and only that ends the old one. Whoever dies in between
finds both in `identity.json`, and tries the new one first: one that was never used has lapsed, and
the old one is still good.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from moorage.agent import identity, journal
from moorage.agent.control import ControlPlane
from moorage.agent.identity import Identity
from moorage.agent.options import OptionsRefused
from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.fault import Fault
from moorage.ground.instant import Duration, hours, in_seconds
from moorage.ground.record import evolve

LIFE = hours(30 * 24)
# Hosts that joined together change their keys apart from each other.
LIFE_JITTER = hours(3 * 24)
LOOK_SECONDS = 3600.0
RETRY_SECONDS_FIRST = 60.0
UNKNOWN_KEY = "UnrecognizedClientException"
log = logging.getLogger(journal.LOGGER)


class HostKeys:
    """The key that is signed with, and the one that is to take its place."""

    def __init__(self, data: Path, who: Identity, control: ControlPlane, clock: Clock) -> None:
        """Sign with the new key first, where one was stored and perhaps never used."""
        self._data = data
        self.who = who
        self._control = control
        self._clock = clock
        if who.next_access_key_id:
            control.sign_with(who.next_access_key_id, who.next_secret_access_key)

    def keep(self, **changes: object) -> None:
        """Store what has changed. Raises OptionsRefused where that fails."""
        changed = evolve(self.who, **changes)
        identity.keep(self._data, changed)
        self.who = changed

    async def ask(self) -> None:
        """Ask for a new key, store it and sign with it. Raises Fault, OptionsRefused."""
        answer = await self._control.rotate_key()
        key, secret = answer.access_key_id or "", answer.secret_access_key or ""
        if not key or not secret:
            raise Fault("the server answered without a key")
        self.keep(next_access_key_id=key, next_secret_access_key=secret)
        self._control.sign_with(key, secret)

    def accepted(self) -> None:
        """The server took a call that was signed: a new key is the only one from now on."""
        if self.who.next_access_key_id:
            changes = {
                "access_key_id": self.who.next_access_key_id,
                "secret_access_key": self.who.next_secret_access_key,
                "next_access_key_id": "",
                "next_secret_access_key": "",
                "key_since": self._clock.now(),
            }
            try:
                self.keep(**changes)
            except OptionsRefused as refused:
                # As it stands on the disk, the next start tries this key first.
                log.warning("%s", refused)
                self.who = evolve(self.who, **changes)
            log.info("this host has a new key")

    def unknown(self) -> bool:
        """The server does not know the key: back to the one before; False where there is none."""
        if not self.who.next_access_key_id:
            return False
        self.keep(next_access_key_id="", next_secret_access_key="")
        self._control.sign_with(self.who.access_key_id, self.who.secret_access_key)
        return True


class Rotation:
    """Changes the key when its time has come, or when it is told to."""

    def __init__(
        self,
        keys: HostKeys,
        register: Callable[[], Awaitable[object]],
        clock: Clock,
        chance: Chance,
    ) -> None:
        """Use a new key for the first time by `register`, which tells `keys` how that went."""
        self._keys = keys
        self._register = register
        self._clock = clock
        self._life = Duration(LIFE - round(chance.uniform(0, LIFE_JITTER)))
        self._asked = asyncio.Event()
        self._retry_seconds = RETRY_SECONDS_FIRST

    def request(self) -> None:
        """Change it now; asked again while that goes on, it is done once."""
        self._asked.set()

    async def step(self) -> None:
        """Wait until it is time, and change the key; what fails is tried again later."""
        try:
            if self._keys.who.key_since is None:
                self._keys.keep(key_since=self._clock.now())
            await self._until_due()
            await self._keys.ask()
            await self._register()
        except (Fault, OptionsRefused) as refused:
            log.warning("the key of this host is not changed yet: %s", refused)
        else:
            self._asked.clear()
            self._retry_seconds = RETRY_SECONDS_FIRST
            return
        await asyncio.sleep(self._retry_seconds)
        self._retry_seconds = min(2 * self._retry_seconds, LOOK_SECONDS)

    async def _until_due(self) -> None:
        while not self._asked.is_set() and (left := self._left_seconds()) > 0:
            try:
                async with asyncio.timeout(min(left, LOOK_SECONDS)):
                    await self._asked.wait()
            except TimeoutError:
                continue

    def _left_seconds(self) -> float:
        since = self._keys.who.key_since or self._clock.now()
        return in_seconds(Duration(since + self._life - self._clock.now()))
