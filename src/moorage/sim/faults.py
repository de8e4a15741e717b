"""What goes wrong: each disaster is a function of the scene and of a few numbers that choose.

Most end by themselves after a while; `heal` ends them all, as the calm begins.
"""

import sqlite3
from collections.abc import Callable, Mapping

from moorage.ground.instant import seconds
from moorage.sim.machine import Machine
from moorage.sim.network import Weather
from moorage.sim.scene import Scene
from moorage.sim.schedule import Step

Picks = tuple[int, ...]
Disaster = Callable[["Fate", Picks], None]
SERVER = "server"
DESK = "desk"
STORM = Weather(lost=0.05, twice=0.02, slow=0.2, slow_seconds_max=0.8)
DRIZZLE = Weather(lost=0.01, twice=0.01, slow=0.05, slow_seconds_max=0.3)
CUT_SECONDS = (2, 60)
STOP_SECONDS = (2, 45)
POWER_SECONDS = (3, 120)
RESTART_SECONDS = (0.3, 6.0)
AGENT_RESTART_SECONDS = (0.3, 8.0)
SKEW_SECONDS_MAX = 400
MACHINES_NUMBER_MAX = 12
HANGING_CALLS = ("start", "create", "stop", "containers", "ping", "inspect", "roster")
DISK_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOMEM)


class Fate:
    """Who does it."""

    def __init__(self, scene: Scene) -> None:
        """Do nothing yet; a server or an agent that dies is started again from now on."""
        self.scene = scene
        self.chance = scene.world.chance_of("fate")
        self._undo: dict[int, Callable[[], None]] = {}
        self._serial = 0
        self.is_over = False
        scene.plane.on_death.append(self._revive)

    def take(self, step: Step) -> None:
        """Let one disaster happen."""
        if self.is_over:
            return
        self.scene.world.tell("fate", f"step {step.number}", step.act)
        DISASTERS[step.act](self, step.picks)

    def heal(self) -> None:
        """End everything that is wrong, at once."""
        self.is_over = True
        for undo in list(self._undo.values()):
            undo()
        self._undo.clear()
        self.scene.network.weather = Weather()
        self.scene.plane.trouble.clear()
        if not self.scene.plane.is_up:
            self.scene.plane.start()
        for machine in self.scene.machines:
            machine.power_on()
            machine.start_agent()

    def during(self, length: float, undo: Callable[[], None]) -> None:
        """Undo it after so many seconds, or when all is healed."""
        self._serial += 1
        number = self._serial
        self._undo[number] = undo

        def end() -> None:
            if self._undo.pop(number, None) is not None:
                undo()

        self.scene.world.after(length, end)

    def machine(self, pick: int) -> Machine:
        """One of the machines."""
        return self.scene.machines[pick % len(self.scene.machines)]

    def span(self, bounds: tuple[float, float], pick: int) -> float:
        """A length of time between two bounds; short ones are likelier."""
        low, high = bounds
        share = (pick % 1000) / 1000
        return low + (high - low) * share * share

    def _revive(self) -> None:
        delay = self.chance.uniform(*RESTART_SECONDS)
        self.scene.world.after(delay, self._start_server)

    def _start_server(self) -> None:
        if not self.scene.plane.is_up:
            self.scene.plane.start()


# --- the network ----------------------------------------------------------------------------------


def _cut_pairs(fate: Fate, pairs: list[tuple[str, str]], length: float) -> None:
    network = fate.scene.network
    for source, target in pairs:
        network.cut(source, target)

    def mend() -> None:
        for source, target in pairs:
            network.mend(source, target)

    fate.during(length, mend)


def _cut(fate: Fate, picks: Picks) -> None:
    """A cable is out."""
    machine = fate.machine(picks[0])
    machine.disturbed.add("cut")
    both = [(machine.name, SERVER), (SERVER, machine.name)]
    _cut_pairs(fate, both, fate.span(CUT_SECONDS, picks[1]))


def _cut_one_way(fate: Fate, picks: Picks) -> None:
    """A cable carries one way only."""
    machine = fate.machine(picks[0])
    machine.disturbed.add("cut")
    pair = (machine.name, SERVER) if picks[2] % 2 else (SERVER, machine.name)
    _cut_pairs(fate, [pair], fate.span(CUT_SECONDS, picks[1]))


def _cut_desk(fate: Fate, picks: Picks) -> None:
    """The users are cut off."""
    both = [(DESK, SERVER), (SERVER, DESK)]
    one = [both[picks[2] % 2]]
    _cut_pairs(fate, both if picks[3] % 2 else one, fate.span(CUT_SECONDS, picks[1]))


def _cut_many(fate: Fate, picks: Picks) -> None:
    """A switch is off."""
    many = fate.scene.machines[picks[2] % 2 :: 2]
    pairs = [pair for m in many for pair in ((m.name, SERVER), (SERVER, m.name))]
    for machine in many:
        machine.disturbed.add("cut")
    _cut_pairs(fate, pairs, fate.span(CUT_SECONDS, picks[1]))


def _storm(fate: Fate, picks: Picks) -> None:
    """Packets are lost, late and twice."""
    network = fate.scene.network
    network.weather = STORM if picks[0] % 2 else DRIZZLE

    def clear() -> None:
        network.weather = Weather()

    fate.during(fate.span((5, 60), picks[1]), clear)


def _reset(fate: Fate, picks: Picks) -> None:
    """Connections break in the middle."""
    connections = list(fate.scene.network.connections)
    for connection in connections[picks[0] % 3 :: 1 + picks[1] % 3]:
        connection.reset()


# --- the hosts ------------------------------------------------------------------------------------


def _kill_agent(fate: Fate, picks: Picks) -> None:
    """An agent is killed; a supervisor starts it again."""
    machine = fate.machine(picks[0])
    machine.kill_agent()
    fate.during(fate.span(AGENT_RESTART_SECONDS, picks[1]), machine.start_agent)


def _stop_agent(fate: Fate, picks: Picks) -> None:
    """An agent hangs for a while."""
    machine = fate.machine(picks[0])
    process = machine.process
    if process is None or process.dead:
        return
    process.stop_running()
    fate.during(fate.span(STOP_SECONDS, picks[1]), process.go_on)


def _power(fate: Fate, picks: Picks) -> None:
    """A machine loses its power, and gets it back."""
    machine = fate.machine(picks[0])
    machine.disturbed.add("power")
    machine.power_off()
    fate.during(fate.span(POWER_SECONDS, picks[1]), machine.power_on)


def _blackout(fate: Fate, picks: Picks) -> None:
    """Half of the machines lose their power at once."""
    for machine in fate.scene.machines[picks[2] % 2 :: 2]:
        machine.disturbed.add("power")
        machine.power_off()
        fate.during(fate.span(POWER_SECONDS, picks[1]), machine.power_on)


def _engine_down(fate: Fate, picks: Picks) -> None:
    """A container engine is stopped, and its containers with it."""
    machine = fate.machine(picks[0])
    machine.disturbed.add("engine")
    machine.set_engine(up=False)
    length = fate.span(POWER_SECONDS, picks[1])
    fate.during(length, lambda: machine.set_engine(up=True))


def _engine_hangs(fate: Fate, picks: Picks) -> None:
    """Calls of one kind hang at an engine."""
    runtime = fate.machine(picks[0]).runtime
    if runtime is None:
        return
    method = HANGING_CALLS[picks[2] % len(HANGING_CALLS)]
    if method in runtime.hanging:
        return
    runtime.hang(method)

    def release() -> None:
        if method in runtime.hanging:
            runtime.release(method)

    fate.during(fate.span(STOP_SECONDS, picks[1]), release)


def _disk_full(fate: Fate, picks: Picks) -> None:
    """The disk of a host is full: nothing is pulled, or not even the agent can write."""
    machine = fate.machine(picks[0])
    machine.disk_full(records=bool(picks[2] % 2))
    fate.during(fate.span(CUT_SECONDS, picks[1]), machine.disk_free)


def _registry_away(fate: Fate, picks: Picks) -> None:
    """Nothing can be pulled on any host."""
    machines = fate.scene.machines[picks[2] % 2 :]
    for machine in machines:
        machine.pulls(fail=True)

    def back() -> None:
        for machine in machines:
            machine.pulls(fail=False)

    fate.during(fate.span(CUT_SECONDS, picks[1]), back)


def _container_dies(fate: Fate, picks: Picks) -> None:
    """A container's process is killed by the kernel."""
    machine = fate.machine(picks[0])
    running = [c.id for c in machine.engine.containers.values() if c.status == "running"]
    if running and machine.host.has_power:
        machine.end(running[picks[1] % len(running)], 137)


def _rejoin(fate: Fate, picks: Picks) -> None:
    """Machines that were removed, and have stopped all, are emptied and join anew."""
    del picks
    for machine in fate.scene.machines:
        host = fate.scene.plane.sight.instance(machine.instance)
        is_removed = bool(machine.instance) and (host is None or host.status == "INACTIVE")
        if is_removed and machine.has_agent and not machine.running:
            machine.forget()
            machine.start_agent()


def _forget(fate: Fate, picks: Picks) -> None:
    """The data folder of an agent is emptied under its running containers; it joins again."""
    machine = fate.machine(picks[0])
    if machine.host.has_power and machine.name not in fate.scene.yard.machines:
        machine.disturbed.add("forgot")
        machine.forget()
        fate.during(fate.span(AGENT_RESTART_SECONDS, picks[1]), machine.start_agent)


def _join(fate: Fate, picks: Picks) -> None:
    """One machine more joins."""
    del picks
    if len(fate.scene.machines) < MACHINES_NUMBER_MAX:
        fate.scene.join_machine()


def _yard_closed(fate: Fate, picks: Picks) -> None:
    """Nobody makes machines for pools, or takes them away."""
    yard = fate.scene.yard
    yard.is_closed = True

    def open_again() -> None:
        yard.is_closed = False

    fate.during(fate.span(POWER_SECONDS, picks[1]), open_again)


def _vanish(fate: Fate, picks: Picks) -> None:
    """A machine of a pool is gone for good, and nobody was told."""
    names = sorted(fate.scene.yard.machines)
    if names:
        fate.scene.yard.vanish(names[picks[0] % len(names)])


def _skew(fate: Fate, picks: Picks) -> None:
    """Somebody sets the clock of a host, or of the desk."""
    by = picks[1] % (2 * SKEW_SECONDS_MAX) - SKEW_SECONDS_MAX
    if picks[2] % 5 == 0:
        fate.scene.users.clock.jump(seconds(by))
    else:
        fate.machine(picks[0]).skew(by)


# --- the server -----------------------------------------------------------------------------------


def _kill_server(fate: Fate, picks: Picks) -> None:
    """The server is killed at a commit that comes soon, just before it or just after."""
    fate.scene.plane.trouble.kill_at(picks[0] % 12, before=bool(picks[1] % 2))


def _stop_server(fate: Fate, picks: Picks) -> None:
    """The server stands still."""
    process = fate.scene.plane.process
    if process is None or process.dead:
        return
    process.stop_running()
    fate.during(fate.span(STOP_SECONDS, picks[1]), process.go_on)


def _statements_fail(fate: Fate, picks: Picks) -> None:
    """The disk under the database is full, or in use, for some statements."""
    code = DISK_CODES[picks[0] % len(DISK_CODES)]
    fate.scene.plane.trouble.failing(code, 1 + picks[1] % 40)


def _disk_breaks(fate: Fate, picks: Picks) -> None:
    """A write to the database fails in a way after which nothing is sure: the server ends."""
    del picks
    fate.scene.plane.trouble.failing(sqlite3.SQLITE_IOERR, 1)


def _skew_server(fate: Fate, picks: Picks) -> None:
    """The server's wall clock jumps, a little."""
    fate.scene.plane.clock.jump(seconds(picks[1] % 120 - 60))


DISASTERS: Mapping[str, Disaster] = {
    "cut": _cut,
    "cut-one-way": _cut_one_way,
    "cut-desk": _cut_desk,
    "cut-many": _cut_many,
    "storm": _storm,
    "reset": _reset,
    "kill-agent": _kill_agent,
    "stop-agent": _stop_agent,
    "power": _power,
    "blackout": _blackout,
    "engine-down": _engine_down,
    "engine-hangs": _engine_hangs,
    "disk-full": _disk_full,
    "registry-away": _registry_away,
    "container-dies": _container_dies,
    "rejoin": _rejoin,
    "forget": _forget,
    "join": _join,
    "yard-closed": _yard_closed,
    "vanish": _vanish,
    "skew": _skew,
    "kill-server": _kill_server,
    "stop-server": _stop_server,
    "statements-fail": _statements_fail,
    "disk-breaks": _disk_breaks,
    "skew-server": _skew_server,
}
