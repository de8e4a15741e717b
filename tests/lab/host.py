"""One host of a lab: a machine, its engine, its agent, its cable, and all that may befall them.

Every verb that disturbs the host marks it as disturbed: what is promised of hosts that were there
throughout is not asked of it (`invariants.py`).
"""

import contextlib
import os
import subprocess
from pathlib import Path

from tests.clients.processes import MOORAGE, run
from tests.lab import wire
from tests.lab.engine import Engine
from tests.lab.namespace import Machine, Switch, drop_arriving
from tests.lab.process import Process
from tests.lab.wire import MARK, Weather

WIRE_PORT = 9750
ENGINE_MIB, AGENT_MIB = 512, 32
CPU, MEMORY_MIB = 2048, 2048
NOTHING_LOST = 0
# Where packets are lost on the way: from the host's point of view.
OUTWARD, INWARD = "out", "in"
# A connection that does not go through the proxy yet is broken, so that the next one does.
REDIRECT = """
table ip lab-wire {{
  chain led {{
    type nat hook output priority -100;
    ip daddr {address} tcp dport {port} meta mark != {mark} redirect to :{wire};
  }}
  chain ended {{
    type filter hook output priority 0;
    ip daddr {address} tcp dport {port} meta mark != {mark} reject with tcp reset;
  }}
}}
"""


class Host:
    """A host with the name `h1`, `h2` ...; `place` is the last number of its address."""

    def __init__(self, name: str, folder: Path, switch: Switch, place: int) -> None:
        self.name = name
        self.folder = folder / name
        self.switch = switch
        self.place = place
        self.disturbed = False
        self.flags: tuple[str, ...] = ("--cpu", str(CPU), "--memory", str(MEMORY_MIB))
        log = self.folder / "machine.log"
        self.machine = Machine(name, log)
        self.engine = Engine(self.machine, self.folder / "engine.log", self.folder / "engine")
        self.agent = Process(f"{name}'s agent", self.folder / "agent.log")
        self.wire = Process(f"{name}'s wire", self.folder / "wire.log")

    @property
    def address(self) -> str:
        """Its address in the lab's network."""
        return self.switch.address(self.place)

    @property
    def port(self) -> str:
        """Its port of the switch."""
        return f"port{self.place}"

    @property
    def agent_folder(self) -> Path:
        """The agent's own folder."""
        return self.folder / "agent"

    # -- power -----------------------------------------------------------------------------------

    def furnish(self, engine_mib: int = ENGINE_MIB, agent_mib: int = AGENT_MIB) -> None:
        """Lay out its disks; they outlive its power."""
        for name, mebibytes in (("engine", engine_mib), ("agent", agent_mib)):
            path = self.folder / name
            path.mkdir(parents=True, exist_ok=True)
            run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(path)])

    def power_on(self) -> None:
        """Give it power and a cable, and launch its engine; does not wait for the engine."""
        self.machine.power_on()
        self.switch.connect(self.machine, self.port, self.place)
        self.engine.launch()

    def power_off(self) -> None:
        """Everything in it ends at once; the disks keep what was written."""
        self.disturbed = True
        self.machine.kill()

    def scrap(self) -> None:
        """Power off, disks away."""
        for process in (self.agent, self.wire, self.engine, self.machine):
            with contextlib.suppress(AssertionError):
                process.kill()
        for name in ("engine", "agent"):
            path = self.folder / name
            subprocess.run(["umount", "-l", str(path)], capture_output=True, check=False)

    # -- the agent -------------------------------------------------------------------------------

    def start_agent(self, endpoint: str, token: str = "", *flags: str) -> None:
        """Start the agent; the token is needed the first time only."""
        joining = {"MOORAGE_JOIN_TOKEN": token} if token else {}
        words = ("--name", self.name, "--data", str(self.agent_folder), *self.flags, *flags)
        publish = ("--publish-address", self.address)
        command = [*MOORAGE, "agent", "--endpoint", endpoint, *publish, *words]
        self.agent.begin(command, self.machine.enter, **joining)

    def double(self, endpoint: str, other: "Host", folder: Path) -> None:
        """Start an agent here that takes itself for another host's: a machine that was cloned."""
        words = ("--name", other.name, "--data", str(folder), "--run", str(folder))
        command = [*MOORAGE, "agent", "--endpoint", endpoint, *words, *other.flags]
        self.wire.begin(command, self.machine.enter)

    # -- the cable -------------------------------------------------------------------------------

    def cut(self, way: str = "") -> None:
        """Pull the cable; or lose everything one way: `out` of the host, or `in`."""
        self.disturbed = True
        if not way:
            self.switch.plug(self.port, up=False)
        if way == OUTWARD:
            self.switch.drop(self.port)
        if way == INWARD:
            drop_arriving(self.machine.enter, "eth0")

    def lose(self, hundredths: int) -> None:
        """Lose so many of a hundred packets, each way."""
        self.disturbed = True
        self.switch.drop(self.port, hundredths)
        drop_arriving(self.machine.enter, "eth0", hundredths)

    def slow(self, server: str, weather: Weather) -> None:
        """Lead the agent's connections to `server` (ADDRESS:PORT) through a proxy from now on."""
        self.disturbed = True
        self._straight()
        address, _, port = server.rpartition(":")
        listen = ("--listen", f"0.0.0.0:{WIRE_PORT}", "--to", server)
        command = [*MOORAGE[:1], wire.__file__, *listen, *weather.words()]
        self.wire.begin(command, self.machine.enter)
        rules = REDIRECT.format(address=address, port=port, mark=MARK, wire=WIRE_PORT)
        run([*self.machine.enter, "nft", "-f", "-"], input=rules)

    def heal(self) -> None:
        """The cable is whole again, in every way."""
        if not self.machine.lives():
            return
        self.switch.plug(self.port, up=True)
        self.switch.drop(self.port, NOTHING_LOST)
        drop_arriving(self.machine.enter, "eth0", NOTHING_LOST)
        self._straight()

    def _straight(self) -> None:
        if self.wire.lives():
            # First the proxy: as long as packets are translated, both ends hear of its end.
            self.wire.kill()
            run([*self.machine.enter, "nft", "delete", "table", "ip", "lab-wire"])

    # -- the disks -------------------------------------------------------------------------------

    def fill(self, which: str) -> None:
        """Fill the disk of the `engine` or the `agent` to the last byte."""
        self.disturbed = True
        path = self.folder / which / "ballast"
        free = os.statvfs(path.parent)
        with path.open("wb") as ballast, contextlib.suppress(OSError):
            os.posix_fallocate(ballast.fileno(), 0, free.f_bavail * free.f_bsize)
        with path.open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
            for _ in range(free.f_bsize):
                ballast.write(b"0" * free.f_bsize)

    def free(self, which: str) -> None:
        """Take away what `fill` wrote."""
        (self.folder / which / "ballast").unlink(missing_ok=True)

    # -- one process or another ------------------------------------------------------------------

    def kill(self, what: str) -> None:
        """SIGKILL: `agent`, `engine`, or a program such as `containerd`."""
        self.disturbed = True
        known = {"agent": self.agent, "engine": self.engine}
        if what in known:
            known[what].kill()
        else:
            self.engine.kill_program(what)

    def stop(self, what: str) -> None:
        """SIGTERM to `agent` or `engine`, and wait."""
        self.disturbed = True
        {"agent": self.agent, "engine": self.engine}[what].stop()

    def pause(self, what: str) -> None:
        """SIGSTOP: `agent` or `engine` hangs."""
        self.disturbed = True
        {"agent": self.agent, "engine": self.engine}[what].pause()

    def resume(self, what: str) -> None:
        """SIGCONT."""
        {"agent": self.agent, "engine": self.engine}[what].resume()

    def tails(self) -> str:
        """The ends of its logs."""
        return "\n".join(
            f"--- {one.name}\n{one.tail()}" for one in (self.machine, self.engine, self.agent)
        )
