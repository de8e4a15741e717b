"""A simulated host: a machine with power or without, its engine, its disk, its clock, its agent."""

from collections.abc import Callable

from moorage.agent.engine.labels import LABEL_TASK_ARN
from moorage.agent.runtime.port import RuntimeEvent
from moorage.ground.instant import seconds
from moorage.sim.agent import Agent, AgentHome, AgentParts
from moorage.sim.disk import Disk
from moorage.sim.engine import SimulatedRuntime, WatchedEngine
from moorage.sim.files import Folder
from moorage.sim.http import Server, Session
from moorage.sim.loop import Process
from moorage.sim.network import Host, Network
from moorage.sim.plane import ENDPOINT
from moorage.sim.sight import Deed, Happened
from moorage.sim.world import SkewedClock, World

# An agent that ended by itself is started again by its supervisor.
SUPERVISOR_SECONDS = (5.0, 10.0)
LOOK_SECONDS = 1.0


class Machine:
    """One host of the world."""

    def __init__(
        self, world: World, network: Network, server: Server, name: str, parts: AgentParts
    ) -> None:
        """Have power; no agent has been started yet."""
        self.world = world
        self.network = network
        self.server = server
        self.name = name
        self.parts = parts
        self.host = Host(name)
        self.clock = SkewedClock(world)
        self.chance = world.chance_of(name)
        self.engine = WatchedEngine(name, self._told)
        self.engine_up = True
        self.disk = Disk(lambda: world.seconds)
        self.files = Folder()
        self.boots = 0
        self.token = ""
        self.zone = ""
        self.home: AgentHome | None = None
        self.agent: Agent | None = None
        self.process: Process | None = None
        self.watchers: list[Callable[[Happened], None]] = []
        # What was ever done to it: a law of what runs here asks.
        self.disturbed: set[str] = set()
        # Whether anything ever befell it, or its cable, that may keep it from being heard of.
        self.is_harmed = False
        self._look()

    # --- life ------------------------------------------------------------------------------------

    @property
    def instance(self) -> str:
        """The ARN of the host that this machine is, or ""."""
        home = self.home
        return home.identity.container_instance_arn if home and home.identity else ""

    @property
    def has_agent(self) -> bool:
        """Whether an agent's process runs."""
        return self.process is not None and not self.process.dead

    def start_agent(self) -> None:
        """Start the agent, as a supervisor does."""
        if self.has_agent or not self.host.has_power:
            return
        self.world.tell(self.name, "agent starts")
        runtime = SimulatedRuntime(self.engine, self.clock, self.chance)
        runtime.up = self.engine_up
        process = self.process = self.world.process(self.name)
        self.host.process = process
        identity = self.home.identity if self.home else None
        home = self.home = AgentHome(
            name=self.name,
            endpoint=ENDPOINT,
            clock=self.clock,
            chance=self.chance,
            engine=self.engine,
            runtime=runtime,
            disk=self.disk,
            files=self.files,
            boot=f"boot-{self.boots}",
            identity=identity,
            token=self.token,
            zone=self.zone,
        )
        session = Session(self.network, self.host, process, self.server)

        def ended() -> None:
            if self.process is process:
                self.kill_agent()
                self.world.after(self.chance.uniform(*SUPERVISOR_SECONDS), self.start_agent)

        self.agent = Agent(home, process, session, self.parts, ended)

    def kill_agent(self) -> None:
        """Kill the agent; containers run on."""
        if self.has_agent and self.process is not None:
            self.world.tell(self.name, "agent dies")
            process = self.process
            process.kill()
            self.network.process_died(process)

    def fall_at(self, saves: int | None, fall: Callable[[], None] | None = None) -> None:
        """Let it `fall` just after its agent has saved so many more things; None: not any more."""

        def soon() -> None:
            if fall is not None:  # at the same instant, but no process ends from within
                self.world.after(0.0, fall)

        self.disk.saves_left, self.disk.fall = saves, soon

    def power_off(self) -> None:
        """Pull the plug."""
        if not self.host.has_power:
            return
        self.world.tell(self.name, "power off")
        self.network.power_lost(self.host)
        self.host.has_power = False
        if self.process is not None:
            self.process.kill()
        self.engine.lose_power(self.clock.now())
        self.disk.lose_power(self.chance)

    def power_on(self) -> None:
        """Give it power: it boots, and starts its agent."""
        if self.host.has_power:
            return
        self.world.tell(self.name, "power on")
        self.boots += 1
        self.clock.boot()
        self.host.has_power = True
        self.engine_up = True
        self.network.release()
        self.start_agent()

    def forget(self) -> None:
        """Somebody emptied the agent's data folder: it will join anew."""
        self.kill_agent()
        self.disk = Disk(lambda: self.world.seconds)
        self.files = Folder()
        self.home = None

    # --- the engine ------------------------------------------------------------------------------

    @property
    def runtime(self) -> SimulatedRuntime | None:
        """The engine's port, as the agent that runs now has it."""
        return self.home.runtime if self.home is not None and self.has_agent else None

    def set_engine(self, *, up: bool) -> None:
        """Take the engine down (its containers end, as without live-restore), or bring it up."""
        if self.engine_up == up or not self.host.has_power:
            return
        self.world.tell(self.name, "engine up" if up else "engine down")
        self.engine_up = up
        now = self.clock.now()
        if not up:
            for container in list(self.engine.containers):
                self.engine.exit(container, 137, now)
        else:
            self.engine.restart(now)
        if self.runtime is not None:
            self.runtime.up = up
        self._settle()

    def end(self, container: str, code: int) -> None:
        """A container's process ends from within."""
        self.engine.exit(container, code, self.clock.now())
        self._settle()

    def disk_full(self, *, records: bool) -> None:
        """Nothing more fits on the disk; with `records`, not even what the agent has to write."""
        self.world.tell(self.name, "disk full", "for the agent too" if records else "")
        self.disk.full = records
        self.engine.full = True

    def disk_free(self) -> None:
        """There is room again."""
        self.world.tell(self.name, "disk free")
        self.disk.full = self.engine.full = False

    def pulls(self, *, fail: bool) -> None:
        """Whether the registries are away for this machine."""
        self.engine.pulls_fail = fail

    def _settle(self) -> None:
        runtime, process = self.runtime, self.process
        if runtime is not None and process is not None:
            process.call_soon(lambda: process.create_task(runtime.settle()))

    @property
    def running(self) -> list[tuple[str, str]]:
        """The task's ARN and the name of each container that runs now."""
        return [
            (found.labels[LABEL_TASK_ARN], found.name)
            for found in self.engine.containers.values()
            if found.status == "running" and LABEL_TASK_ARN in found.labels
        ]

    def _told(self, deed: Deed, event: RuntimeEvent) -> None:
        happened = Happened(
            at=self.world.now,
            machine=self.name,
            deed=deed,
            container=event.id,
            name=event.name,
            task=event.labels[LABEL_TASK_ARN],
            code=event.exit_code,
        )
        self.world.tell(self.name, deed, happened.task.rpartition("/")[2][:8], event.id[-4:])
        for watcher in self.watchers:
            watcher(happened)

    def _look(self) -> None:
        """What falls due on an engine happens whether an agent looks or not."""
        if self.host.has_power and self.engine_up:
            self.engine.advance(self.clock.now())
        self.world.after(LOOK_SECONDS, self._look)

    def skew(self, by_seconds: float) -> None:
        """Set the machine's wall clock off."""
        self.clock.jump(seconds(by_seconds))
