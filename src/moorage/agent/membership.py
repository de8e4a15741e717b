"""How this host stands with its server: registered, refused for now, or for good.

A refusal is told apart from silence: it is said once, with what to do, and tried again at the pace
that it deserves.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from moorage.acs.codec import (
    INACTIVE_INSTANCE,
    REPLACED_KEY_REFUSAL,
    SECOND_AGENT_REFUSAL,
    Refusal,
)
from moorage.agent import journal
from moorage.agent.control import FINAL_CODES, ControlPlane, Registration
from moorage.agent.dial import NotOpened, Opened
from moorage.agent.engine.events import Event, ServerSilent
from moorage.agent.options import OptionsRefused
from moorage.agent.records.report import TaskReport
from moorage.agent.rotation import UNKNOWN_KEY, HostKeys
from moorage.ground.chance import Chance
from moorage.ground.fault import Fault
from moorage.ground.instant import Duration
from moorage.ground.record import evolve
from moorage.wire.client import RemoteFault, Unreachable

RETRY_SECONDS_FIRST = 0.5
RETRY_SECONDS_MAX = 15.0
# A second agent waits until the first is gone.
SECOND_SECONDS_MAX = 60.0
# As Amazon's agent waits where its instance is INACTIVE.
HOPELESS_SECONDS_FIRST = 60.0
HOPELESS_SECONDS_MAX = 3600.0
_HOPELESS = (HOPELESS_SECONDS_FIRST, HOPELESS_SECONDS_MAX)
_PACES = {
    "ThrottlingException": (RETRY_SECONDS_FIRST, SECOND_SECONDS_MAX),
    REPLACED_KEY_REFUSAL: _HOPELESS,
    UNKNOWN_KEY: _HOPELESS,
}
_OUSTED = frozenset({SECOND_AGENT_REFUSAL, REPLACED_KEY_REFUSAL, UNKNOWN_KEY})
UNKNOWN_KEY_ADVICE = (
    "the server does not know the key of this host: it is another server, or was restored from a "
    "backup older than the key. Containers run on. To make this machine a host again, stop the "
    "agent, empty its data folder and start it with a new token (moorage host token)"
)
log = logging.getLogger(journal.LOGGER)


class Membership:
    """How this host stands with its server: whether it is registered, and by which key.

    `is_refused`: the server is there and does not take this host, at least not now. What happens to
    its containers is then for its owner to say, and nothing is restarted in the server's absence.
    """

    def __init__(
        self, control: ControlPlane, keys: HostKeys, registration: Registration, chance: Chance
    ) -> None:
        """Register by `control`, tell `keys` how that went."""
        self._control = control
        self._keys = keys
        self._registration = registration
        self._chance = chance
        self._registered = asyncio.Event()
        self.is_refused = False

    async def register(self) -> str:
        """Register, however long it takes. Raises OptionsRefused where the server never will."""
        waits = Waits()
        while True:
            try:
                arn = await self._control.register(self._registration)
            except RemoteFault as fault:
                if fault.code in FINAL_CODES:
                    raise OptionsRefused(f"The server refuses this host: {fault}") from fault
                if fault.code == UNKNOWN_KEY and self._keys.unknown():
                    continue
                self.is_refused = not isinstance(fault, Unreachable)
                waits.note(fault)
            else:
                self._keys.accepted()
                self.is_refused = False
                self._registration = evolve(self._registration, container_instance_arn=arn)
                self._registered.set()
                log.info("registered as %s", arn)
                return arn
            await asyncio.sleep(waits.seconds * (1 + self._chance.uniform(0, 0.2)))

    @property
    def is_registered(self) -> bool:
        """Whether the server has taken this very process for the host, and not said otherwise."""
        return self._registered.is_set()

    async def confirm(self) -> None:
        """Register again where that is needed, before a connection is made."""
        if not self.is_registered:
            await self.register()

    async def submit(self, report: TaskReport) -> None:
        """Report, once it is known that this very process speaks for the host. Raises Fault.

        Of a machine that was cloned the second would else report the tasks of the first.
        """
        await self._registered.wait()
        try:
            await self._control.submit(report)
        except Fault as fault:
            self.refused(Refusal(name=fault.code))
            raise

    def refused(self, refusal: Refusal) -> None:
        """A call or a connection was refused: another may have taken this host's place.

        Nothing is called any more until registering was tried again, at its own pace.
        """
        if refusal.name in _OUSTED:
            self.is_refused = True
            self._registered.clear()

    def tempered(self, event: Event) -> Event:
        """A silence that begins with a refusal is no absence, and nothing is restarted in it."""
        if self.is_refused and isinstance(event, ServerSilent):
            return evolve(event, unheard=Duration(0))
        return event


async def until_registered(
    registering: "asyncio.Future[str]", dial: Callable[[], Awaitable[Opened]]
) -> None:
    """Wait until this host is registered; one that was given up goes on, to stop its tasks.

    `dial` opens the connection for commands: where registering was refused, what that handshake
    says is final. Raises OptionsRefused for any refusal but that this host is no more.
    """
    try:
        await registering
    except OptionsRefused:
        try:
            opened = await dial()
        except NotOpened as failure:
            if failure.refusal is None or failure.refusal.name != INACTIVE_INSTANCE:
                raise
            return
        await opened.socket.close()
        raise


class Waits:
    """How long to wait after a refusal: ever longer, and by far where trying again is of no use."""

    def __init__(self) -> None:
        """Begin with the shortest."""
        self.seconds = RETRY_SECONDS_FIRST / 2
        self._said = ""

    def note(self, fault: RemoteFault) -> None:
        """Another try was refused; each reason is said once."""
        first, most = _PACES.get(fault.code, (RETRY_SECONDS_FIRST, RETRY_SECONDS_MAX))
        self.seconds = min(max(2 * self.seconds, first), most)
        said = UNKNOWN_KEY_ADVICE if fault.code == UNKNOWN_KEY else str(fault)
        level = logging.DEBUG if said == self._said else logging.WARNING
        self._said = said
        log.log(level, "cannot register: %s; trying again within %.0f s", said, most)
