"""One world with everything in it: the network, the control plane, the machines, the users, the laws."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from moorage.sim.agent import AgentParts
from moorage.sim.laws.law import Broken, Law
from moorage.sim.laws.table import LAWS
from moorage.sim.machine import Machine
from moorage.sim.network import Network
from moorage.sim.plane import Composition, ControlPlane
from moorage.sim.schedule import Schedule
from moorage.sim.sight import Answered, Commit, Happened
from moorage.sim.users.desk import OWN
from moorage.sim.users.table import Users
from moorage.sim.world import World
from moorage.sim.yard import PoolMachine, Yard, sourced

ZONES = ("east-1a", "east-1b", "east-1c")
MACHINES_NUMBER_MAX = 99
# What happens so often that only those laws are told that look at it.
HEEDED = ("committed", "answered", "asking", "happened")


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """What a scene is made of; a test puts a broken part in a sound one's place."""

    plane: Composition = field(default_factory=Composition)
    agent: AgentParts = field(default_factory=AgentParts)
    laws: Sequence[type[Law]] = LAWS


class Listener(logging.Handler):
    """Hears what our own code logs with a trace: a fault of ours."""

    def __init__(self, world: World) -> None:
        """Tell one world."""
        super().__init__(logging.WARNING)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        """Take one line in."""
        if record.exc_info and record.exc_info[1] is not None:
            self._world.failed(record.name, record.getMessage(), record.exc_info[1])


class Scene:
    """Everything that there is in one world."""

    def __init__(self, schedule: Schedule, make: Make, *, keeps_story: bool = False) -> None:
        """Set it up; nothing has happened yet."""
        self.schedule = schedule
        self.make = make
        self.world = World(schedule.seed, keeps_story=keeps_story)
        self.network = Network(self.world)
        self.plane = ControlPlane(self.world, self.network, make.plane)
        self.broken: list[Broken] = []
        self.machines: list[Machine] = []
        self.yard = Yard(self.world.chance_of("yard"), self._pool_machine, self._lose)
        self.plane.sourced = tuple(sourced(rule, self.yard) for rule in self.plane.site.pools)
        for number in range(schedule.machines):
            machine = Machine(self.world, self.network, self.plane, f"h{number + 1}", make.agent)
            machine.zone = ZONES[number % len(ZONES)]
            self.machines.append(machine)
        self.laws: list[Law] = []
        self.plane.on_start.append(self._restarted)
        self.plane.start()
        self.users = Users(self.world, self.network, self.plane, self.machines)
        self.laws += [law(self) for law in make.laws]
        self._heeding = {name: _heeding(self.laws, name) for name in HEEDED}
        self.plane.watchers.append(self._committed)
        self.users.watchers.append(self._answered)
        self.users.asking.append(self._asking)
        for machine in self.machines:
            machine.watchers.append(self._happened)
        self._listener = Listener(self.world)
        self._log = logging.getLogger("moorage")
        self._level, self._log.propagate = self._log.level, False
        self._log.setLevel(logging.WARNING)
        self._log.addHandler(self._listener)

    def open(self) -> None:
        """Let the machines join."""
        self.users.begin(self._join)

    async def _join(self) -> None:
        await self.users.ask(0, "CreateCluster", {"clusterName": "default"})
        asked = {"uses": MACHINES_NUMBER_MAX, "ttlSeconds": 7200}
        answered = await self.users.ask(0, "CreateJoinToken", asked, OWN)
        for machine in self.machines:
            machine.token = answered.got["token"]
            machine.start_agent()

    def report(self, law: str, what: str) -> None:
        """A law was broken; one that is broken again for the same reason is told once."""
        if all(one.what != what for one in self.broken):
            self.world.tell("BROKEN", law, what)
            self.broken.append(Broken(law=law, at=self.world.now, what=what))

    def close(self) -> None:
        """End everything."""
        self.plane.kill()
        for machine in self.machines:
            machine.kill_agent()
        self.users.process.kill()
        self.world.nature.kill()
        self.world.close()
        self._log.removeHandler(self._listener)
        self._log.propagate = True
        self._log.setLevel(self._level)

    def join_machine(self) -> None:
        """One machine more joins, with the token of the others."""
        number = len(self.machines) + 1
        while any(one.name == f"h{number}" for one in self.machines):
            number += 1
        machine = Machine(self.world, self.network, self.plane, f"h{number}", self.make.agent)
        machine.zone = ZONES[number % len(ZONES)]
        machine.token = self.machines[0].token
        self._admit(machine)
        machine.start_agent()

    def _pool_machine(self, name: str, zone: str) -> PoolMachine:
        machine = PoolMachine(self.world, self.network, self.plane, name, self.make.agent)
        machine.zone = zone
        self._admit(machine)
        return machine

    def _admit(self, machine: Machine) -> None:
        machine.watchers.append(self._happened)
        self.machines.append(machine)

    def _lose(self, machine: PoolMachine) -> None:
        self.machines.remove(machine)

    def machine_of(self, instance: str) -> Machine | None:
        """The machine that is a host, by its ARN."""
        return next((one for one in self.machines if one.instance == instance), None)

    def _restarted(self) -> None:
        for law in self.laws:
            law.restarted()

    def _committed(self, commit: Commit) -> None:
        for law in self._heeding["committed"]:
            law.committed(commit)

    def _answered(self, answered: Answered) -> None:
        for law in self._heeding["answered"]:
            law.answered(answered)

    def _asking(self, step: int, operation: str, asked: dict[str, object]) -> None:
        for law in self._heeding["asking"]:
            law.asking(step, operation, asked)

    def _happened(self, happened: Happened) -> None:
        for law in self._heeding["happened"]:
            law.happened(happened)


def _heeding(laws: Sequence[Law], name: str) -> tuple[Law, ...]:
    """The laws that have a say in what is told by this name."""
    deaf = getattr(Law, name)
    return tuple(law for law in laws if getattr(type(law), name) is not deaf)
