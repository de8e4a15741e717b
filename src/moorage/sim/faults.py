"""What goes wrong: each disaster is a function of the scene and of a few numbers that choose.

Most end by themselves after a while; `heal` ends them all, as the calm begins.
"""

import sqlite3
from collections.abc import Callable, Mapping

from moorage.ground.instant import seconds
from moorage.sim.fate import Disaster, Fate, Picks
from moorage.sim.network import Weather

SERVER = "server"
DESK = "desk"
STORM = Weather(lost=0.05, twice=0.02, slow=0.2, slow_seconds_max=0.8)
DRIZZLE = Weather(lost=0.01, twice=0.01, slow=0.05, slow_seconds_max=0.3)
CUT_SECONDS = (2, 60)
# One cut in six lasts so long; one machine in six stays without power for as long.
LONG_SECONDS = (60, 400)
LONG_ONE_IN = 6
STOP_SECONDS = (2, 45)
SERVER_STOP_SECONDS = (2, 75)
POWER_SECONDS = (3, 120)
AGENT_RESTART_SECONDS = (0.3, 8.0)
SKEW_SECONDS_MAX = 400
MACHINES_NUMBER_MAX = 12
HANGING_CALLS = (
    "start",
    "create",
    "stop",
    "containers",
    "ping",
    "inspect",
    "roster",
    "pull",
    "image",
    "remove",
)
# What the agent writes down before it falls: at most so many things.
SAVES_MAX = 8
DISK_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOMEM)
# Statements that write, and commits, which go well before the first that does not.
PASSING_MAX = 24


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
    bounds = LONG_SECONDS if picks[3] % LONG_ONE_IN == 0 else CUT_SECONDS
    _cut_pairs(fate, both, fate.span(bounds, picks[1]))


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
    """An agent is killed, at once or as it writes something down; a supervisor starts it again."""
    machine = fate.machine(picks[0])

    def fall() -> None:
        machine.kill_agent()
        fate.during(fate.span(AGENT_RESTART_SECONDS, picks[1]), machine.start_agent)

    if picks[2] % 2:
        fall()
    else:
        _at_a_save(fate, picks, fall)


def _at_a_save(fate: Fate, picks: Picks, fall: Callable[[], None]) -> None:
    """Let it happen just after one of the next things that an agent writes to its disk."""
    machine = fate.machine(picks[0])
    machine.fall_at(picks[3] % SAVES_MAX, fall)
    fate.during(fate.span(LONG_SECONDS, picks[4]), lambda: machine.fall_at(None))


def _stop_agent(fate: Fate, picks: Picks) -> None:
    """An agent hangs for a while."""
    machine = fate.machine(picks[0])
    process = machine.process
    if process is None or process.dead:
        return
    process.stop_running()
    fate.during(fate.span(STOP_SECONDS, picks[1]), process.go_on)


def _power(fate: Fate, picks: Picks) -> None:
    """A machine loses its power, at once or as its agent writes something down, and gets it back."""
    machine = fate.machine(picks[0])
    machine.disturbed.add("power")
    bounds = LONG_SECONDS if picks[5] % LONG_ONE_IN == 0 else POWER_SECONDS

    def fall() -> None:
        machine.power_off()
        fate.during(fate.span(bounds, picks[1]), machine.power_on)

    if picks[2] % 3:
        fall()
    else:
        _at_a_save(fate, picks, fall)


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


def _engine_silent(fate: Fate, picks: Picks) -> None:
    """An engine tells nothing more to whoever listens to its events, and goes on answering."""
    runtime = fate.machine(picks[0]).runtime
    if runtime is not None:
        runtime.fall_silent()


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
    fate.during(fate.span(SERVER_STOP_SECONDS, picks[1]), process.go_on)


def _statements_fail(fate: Fate, picks: Picks) -> None:
    """The disk under the database is full, or in use, for some statements and commits."""
    code = DISK_CODES[picks[0] % len(DISK_CODES)]
    # A statement that found another writer is refused alone; the others may end all of the batch.
    ends = code != sqlite3.SQLITE_BUSY and picks[3] % 2 == 0
    fate.scene.plane.trouble.failing(
        code, 1 + picks[1] % 40, passing=picks[2] % PASSING_MAX, ends_transaction=ends
    )


def _disk_breaks(fate: Fate, picks: Picks) -> None:
    """A write to the database fails in a way after which nothing is sure: the server ends."""
    fate.scene.plane.trouble.failing(
        sqlite3.SQLITE_IOERR,
        1,
        passing=picks[0] % PASSING_MAX,
        ends_transaction=bool(picks[1] % 2),
        too_late=bool(picks[2] % 2),
    )


def _skew_server(fate: Fate, picks: Picks) -> None:
    """The server's wall clock jumps, a little."""
    fate.scene.plane.clock.jump(seconds(picks[1] % 120 - 60))


DISASTERS: Mapping[str, Disaster] = {
    "cut": Disaster(_cut, "one"),
    "cut-one-way": Disaster(_cut_one_way, "one"),
    "cut-desk": Disaster(_cut_desk),
    "cut-many": Disaster(_cut_many, "all"),
    "storm": Disaster(_storm, "all"),
    "reset": Disaster(_reset, "all"),
    "kill-agent": Disaster(_kill_agent, "one"),
    "stop-agent": Disaster(_stop_agent, "one"),
    "power": Disaster(_power, "one"),
    "blackout": Disaster(_blackout, "all"),
    "engine-down": Disaster(_engine_down, "one"),
    "engine-hangs": Disaster(_engine_hangs, "one"),
    "engine-silent": Disaster(_engine_silent, "one"),
    "disk-full": Disaster(_disk_full, "one"),
    "registry-away": Disaster(_registry_away),
    "container-dies": Disaster(_container_dies),
    "rejoin": Disaster(_rejoin, "all"),
    "forget": Disaster(_forget, "one"),
    "join": Disaster(_join),
    "yard-closed": Disaster(_yard_closed),
    "vanish": Disaster(_vanish, "all"),
    "skew": Disaster(_skew, "one"),
    "kill-server": Disaster(_kill_server),
    "stop-server": Disaster(_stop_server),
    "statements-fail": Disaster(_statements_fail),
    "disk-breaks": Disaster(_disk_breaks),
    "skew-server": Disaster(_skew_server),
}
