"""Where the machines of the simulated site's pool come from: the peer of `local` and `command`.

It stands for the operator's cloud: machines take a while, it may be closed for a time, and one of
them may vanish without a word. What is there outlives the server that asked for it.
"""

import asyncio
from collections.abc import Callable

from moorage.gateway.machines.foreman import Sourced
from moorage.gateway.machines.port import MachinesFailed, Order
from moorage.gateway.pools import COMMAND, PoolSettings
from moorage.ground.chance import SeededChance
from moorage.kernel.site import PoolRule
from moorage.sim.machine import Machine

ZONE = "east-1c"
MAKING_SECONDS = (1.0, 15.0)
ENDING_SECONDS = (0.5, 4.0)
SWITCH_SECONDS = 0.01
SURVEY_SECONDS = 20.0
TIMEOUT_SECONDS = 30.0
TRIES = 3
CLOSED = "The yard is closed."


class PoolMachine(Machine):
    """A machine that goes for good one day: without power, and without a way back."""

    gone = False

    def power_on(self) -> None:
        """Give it power, if it is still there."""
        if not self.gone:
            super().power_on()

    def start_agent(self) -> None:
        """Start its agent, if it is still there."""
        if not self.gone:
            super().start_agent()

    def leave(self) -> None:
        """Take it away."""
        self.power_off()
        self.gone = True

    def _look(self) -> None:
        if not self.gone:
            super()._look()


class Yard:
    """Port Machines, with `build` to make a machine of a name and zone, and `lose` to forget it."""

    def __init__(
        self,
        chance: SeededChance,
        build: Callable[[str, str], PoolMachine],
        lose: Callable[[PoolMachine], None],
    ) -> None:
        """Have no machine."""
        self.machines: dict[str, PoolMachine] = {}
        self.is_closed = False
        self._chance = chance
        self._build = build
        self._lose = lose

    async def create(self, order: Order) -> None:
        """Make the machine after a while, and let its agent start; raises MachinesFailed."""
        await asyncio.sleep(self._chance.uniform(*MAKING_SECONDS))
        self._heed()
        known = self.machines.get(order.name)
        if known is None:
            known = self.machines[order.name] = self._build(order.name, order.zone)
            known.token = order.token
        known.world.after(0.0, known.start_agent)

    async def destroy(self, name: str) -> None:
        """Take it away after a while; raises MachinesFailed."""
        await asyncio.sleep(self._chance.uniform(*ENDING_SECONDS))
        self._heed()
        machine = self.machines.get(name)
        if machine is not None:  # in a moment of its own: a process is killed by nature alone
            machine.world.after(0.0, self.vanish, name)
            await asyncio.sleep(SWITCH_SECONDS)

    async def list(self) -> frozenset[str] | None:
        """The names of those that are there; raises MachinesFailed."""
        self._heed()
        return frozenset(self.machines)

    async def aclose(self) -> None:
        """Nothing: machines are not of the server's process."""

    def vanish(self, name: str) -> None:
        """Take a machine away at once, whether anybody asked for it or not."""
        machine = self.machines.pop(name, None)
        if machine is not None:
            machine.leave()
            self._lose(machine)

    def _heed(self) -> None:
        if self.is_closed:
            raise MachinesFailed(CLOSED)


def sourced(rule: PoolRule, yard: Yard) -> Sourced:
    """The pool of a rule, as whoever carries out its orders wants it."""
    settings = PoolSettings(
        source=COMMAND,
        size_max=rule.size_max,
        zone=ZONE,
        create=("create",),
        destroy=("destroy",),
        timeout_seconds=TIMEOUT_SECONDS,
        tries=TRIES,
        survey_seconds=SURVEY_SECONDS,
    )
    return Sourced(rule=rule, settings=settings, source=yard)
