"""The agent as a simulated process, on a machine of `machine.py`.

The agent is made of its own parts, wired as `agent.shell` wires them; what needs real files,
sockets or processes is left out, and docs/explanation/simulator.md says what that is.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moorage.acs.codec import INACTIVE_INSTANCE, Refusal
from moorage.acs.messages import AgentMessage, ServerMessage
from moorage.agent import capability, publishing
from moorage.agent.contact import Contact
from moorage.agent.control import OWN_TARGET, ControlPlane, Registration
from moorage.agent.dial import Dialler, NotOpened, Opened
from moorage.agent.engine import instructions as to
from moorage.agent.engine.events import (
    AgentStarted,
    Event,
    HostDeregistered,
    PostMortemGathered,
)
from moorage.agent.engine.ghosts import Sight
from moorage.agent.engine.machine import Engine
from moorage.agent.former import host_label
from moorage.agent.identity import Identity
from moorage.agent.links import AcsLink
from moorage.agent.loop import AgentLoop
from moorage.agent.membership import Membership, until_registered
from moorage.agent.options import AgentOptions, OptionsRefused
from moorage.agent.performer import Performer, Tools
from moorage.agent.pulling import Puller
from moorage.agent.records.host import Host as HostRecord
from moorage.agent.reports import Reporter
from moorage.agent.rotation import HostKeys
from moorage.agent.session.respond import respond
from moorage.agent.shell import forever
from moorage.agent.telemetry import TcsLink
from moorage.agent.watching import EngineWatch
from moorage.ground.chance import SeededChance
from moorage.ground.fault import Fault
from moorage.ground.instant import Moment
from moorage.ground.record import evolve
from moorage.shapes.moorage.host import JoinRequest, JoinResponse
from moorage.sim.engine import SimulatedRuntime, WatchedEngine
from moorage.sim.files import Folder
from moorage.sim.http import Session
from moorage.sim.loop import Process
from moorage.sim.world import SkewedClock
from moorage.wire.client import AwsClient

HEX_DIGITS = 32
STARTS_AT_ONCE = 8
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentParts:
    """What an agent is made of, so that a test can put a broken part in a sound one's place."""

    engine: type[Engine] = Engine
    performer: type[Performer] = Performer
    acs: type[AcsLink] = AcsLink
    reporter: type[Reporter] = Reporter


class Turnstile:
    """The right to start a container: so many at once."""

    def __init__(self) -> None:
        """Begin with all free."""
        self._free = asyncio.Semaphore(STARTS_AT_ONCE)

    def hold(self) -> "Turnstile":
        """Wait for it, and give it back."""
        return self

    async def __aenter__(self) -> bool:
        """Wait."""
        await self._free.acquire()
        return True

    async def __aexit__(self, *_: object) -> None:
        """Give back."""
        self._free.release()


class Believer:
    """A witness who sees the processes of containers that are not there: all is as the engine says."""

    def see(self, pid: int, container: str) -> Sight:
        """It is unclear; the engine's word is taken."""
        del pid, container
        return Sight.UNCLEAR

    def forget(self, kept: frozenset[str]) -> None:
        """Nothing is remembered."""


class MemoryKeys(HostKeys):
    """The host's key, kept on the simulated machine."""

    def __init__(self, home: "AgentHome", control: ControlPlane) -> None:
        """Take what the machine holds."""
        super().__init__(Path("/simulated"), home.identity_now, control, home.clock)
        self._home = home

    def keep(self, **changes: object) -> None:
        """Store what has changed."""
        self.who = self._home.identity = evolve(self.who, **changes)


@dataclass(slots=True, kw_only=True)
class AgentHome:
    """What the agent's process finds on its machine."""

    name: str
    endpoint: str
    clock: SkewedClock
    chance: SeededChance
    engine: WatchedEngine
    runtime: SimulatedRuntime
    disk: Any
    files: Folder
    boot: str
    identity: Identity | None = None
    token: str = ""
    zone: str = ""

    @property
    def identity_now(self) -> Identity:
        """The identity of a host that has joined."""
        assert self.identity is not None, "it has joined"
        return self.identity


class Agent:
    """One process of the agent."""

    def __init__(
        self,
        home: AgentHome,
        process: Process,
        session: Session,
        parts: AgentParts,
        ended: Callable[[], None],
    ) -> None:
        """Begin when the process first runs; `ended` hears that it has ended by itself."""
        self.home = home
        self._ended = ended
        self.process = process
        self.session = session
        self.parts = parts
        self.connected_once = False
        process.call_soon(self._begin)

    def _begin(self) -> None:
        self.process.create_task(self._serve()).add_done_callback(self._over)

    def _over(self, serving: "asyncio.Task[None]") -> None:
        """It has ended by itself, which a sound agent does where it is refused alone."""
        world = self.process.world
        error = None if serving.cancelled() else serving.exception()
        first = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
        if isinstance(first, OptionsRefused | Fault):
            world.tell(self.home.name, "agent ends:", first)
        elif first is not None:
            world.failed(self.home.name, "the agent has failed", first)
        world.after(0.0, self._ended)

    async def _join(self) -> Identity:
        home = self.home
        client = AwsClient(
            home.endpoint, None, "us-east-1", self.session.disguised(), home.clock, home.chance
        )
        request = JoinRequest(token=home.token, name=home.name)
        given = await client.call("moorage", OWN_TARGET, "Join", request, JoinResponse)
        return Identity(
            access_key_id=given.access_key_id or "",
            secret_access_key=given.secret_access_key or "",
            account=given.account_id or "",
            region=given.region or "",
            cluster=given.cluster or "default",
            name=home.name,
            endpoint=home.endpoint,
            names=tuple(given.names or ()),
        )

    async def _serve(self) -> None:
        home = self.home
        if home.identity is None:
            home.identity = await self._join()
        clock, chance = home.clock, home.chance
        facts = home.engine.facts
        options = AgentOptions(
            endpoint=home.endpoint, data=Path("/simulated"), name=home.name, zone=home.zone
        )
        self.control = ControlPlane(
            home.endpoint, home.identity_now, self.session.disguised(), clock, chance
        )
        registration = Registration(
            attributes=capability.attributes(facts, options, task_limits=False),
            resources=capability.total_resources(facts, options),
            client_token=chance.hex(HEX_DIGITS),
            container_instance_arn=home.identity_now.container_instance_arn,
        )
        keys = MemoryKeys(home, self.control)
        self.member = Membership(self.control, keys, registration, chance)
        registering = asyncio.ensure_future(self.member.register())
        if not registration.container_instance_arn:
            keys.keep(container_instance_arn=await registering)
        self._build(options)
        await self._work(registering)

    def _build(self, options: AgentOptions) -> None:
        home, who = self.home, self.home.identity_now
        clock, chance = home.clock, home.chance
        self.watch = EngineWatch(home.runtime, self._feed, clock, witness=Believer())
        guarded = self.watch.runtime
        tools = Tools(
            runtime=guarded,
            images=guarded,
            puller=Puller(guarded, clock, None, (who.account, who.region)),
            slots=Turnstile(),
            vigil=self.watch.vigil,
            clock=clock,
        )
        self.label = host_label(who.name, who.container_instance_arn)
        self.performer = self.parts.performer(tools, self.label)
        self.reporter = self.parts.reporter(self.member.submit, chance)
        self.contact = Contact(home.files.disguised(), clock, self._feed_contact, home.boot)
        self.dialler = Dialler(self.control, who.container_instance_arn, self.session.tracing)
        self.acs = self.parts.acs(self._dial, self, clock, chance)
        self.tcs = TcsLink(self._open_tcs, self._sign, clock, chance)
        home.disk.instance = who.container_instance_arn
        loaded = home.disk.load()
        host = HostRecord(
            name=self.label,
            cluster=who.cluster,
            container_instance_arn=who.container_instance_arn,
            cpu=capability.cpu_units(home.engine.facts, options),
            memory_mebibytes=capability.memory_mebibytes(home.engine.facts, options),
            reserved_ports=capability.reserved_ports(options),
        )
        engine = self.parts.engine(host, loaded.tasks, loaded.memory)
        self._now = self._at_once()
        self.loop = AgentLoop(engine, home.disk, clock, self._now, self._beside())

    def _at_once(self) -> dict[type[object], Callable[[Any], None]]:
        unheard: tuple[type[object], ...] = (
            to.StreamLogs,
            to.AllowLogs,
            to.CancelLogs,
            to.ConfigureRegistry,
            to.TrustAuthorities,
            to.RotateKey,
            to.KeepCredentials,
        )
        found: dict[type[object], Callable[[Any], None]] = dict.fromkeys(unheard, lambda _: None)
        found[to.SendMessage] = lambda wanted: self._say(wanted.message)
        found[to.PublishHealth] = self._publish_health
        found[to.PublishInstanceStatus] = self._publish_status
        return found

    def _beside(self) -> dict[type[object], Callable[[Any], Awaitable[Event | None]]]:
        beside: dict[type[object], Callable[[Any], Awaitable[Event | None]]] = dict.fromkeys(
            self.performer.handlers, self.performer.perform
        )
        beside[to.SubmitTaskStateChange] = self.reporter.report
        beside[to.GatherPostMortem] = _gathered
        return beside

    async def _work(self, registering: "asyncio.Future[str]") -> None:
        since = self.home.clock.now()
        self.loop.feed(AgentStarted())
        observer, patrol = self.watch.over(self.label, self.loop.engine.tasks)
        async with asyncio.TaskGroup() as group:
            group.create_task(forever(self.loop.step))
            group.create_task(forever(self.watch.vigil.step))
            group.create_task(forever(patrol.step))
            group.create_task(observer.run(since))
            group.create_task(forever(self.contact.step))
            await until_registered(registering, self._open)
            self.acs.begin()
            group.create_task(forever(self.acs.step))
            group.create_task(forever(self.tcs.step))

    # --- what the link tells ---------------------------------------------------------------------

    def opened(self, dialled_at: Moment) -> None:
        """The server is there."""
        self.process.world.tell(self.home.name, "connected")
        self.connected_once = True
        self.contact.opened(dialled_at)
        self.tcs.hurry()
        self.reporter.server_heard()

    def closed(self) -> None:
        """The server is away."""
        self.process.world.tell(self.home.name, "disconnected")
        self.contact.closed()

    def refused(self, refusal: Refusal) -> None:
        """The server does not want this host."""
        self.process.world.tell(self.home.name, "refused:", refusal.name)
        self.member.refused(refusal)
        if refusal.name == INACTIVE_INSTANCE:
            self.loop.feed(HostDeregistered())

    def hear(self, message: ServerMessage) -> None:
        """Take in what the server said."""
        self.contact.heard(message)
        response = respond(message)
        for instruction in response.instructions:
            self._now[type(instruction)](instruction)
        for event in response.events:
            self.loop.feed(event)

    # --- wires -----------------------------------------------------------------------------------

    def _feed(self, event: Event) -> None:
        self.loop.feed(event)

    def _feed_contact(self, event: Event) -> None:
        self.loop.feed(self.member.tempered(event))

    def _say(self, message: AgentMessage) -> None:
        self.contact.saying(message)
        self.acs.say(message)

    async def _open(self) -> Opened:
        return await self.dialler.open_acs(
            self.home.engine.facts.version,
            first=not self.connected_once,
            timeline=self.loop.engine.timeline(),
        )

    async def _dial(self) -> Opened:
        with contextlib.suppress(OptionsRefused):  # what the handshake says is final
            await self.member.confirm()
        return await self._open()

    async def _open_tcs(self) -> Opened:
        if not self.member.is_registered:
            raise NotOpened("this host is not registered")
        return await self.dialler.open_tcs(self.home.engine.facts.version)

    def _sign(self, url: str, body: bytes) -> dict[str, str]:
        return self.control.client.signed_headers("GET", url, "ecs", body=body)

    def _sender(self) -> publishing.Sender:
        who = self.home.identity_now
        return publishing.Sender(cluster=who.cluster, container_instance=who.container_instance_arn)

    def _publish_health(self, wanted: to.PublishHealth) -> None:
        name, now = self.home.chance.hex(HEX_DIGITS), self.home.clock.now()
        for message in publishing.health(wanted, self._sender(), name, now):
            self.tcs.publish(message)

    def _publish_status(self, wanted: to.PublishInstanceStatus) -> None:
        name, now = self.home.chance.hex(HEX_DIGITS), self.home.clock.now()
        self.tcs.publish(publishing.status(wanted, self._sender(), name, now))


async def _gathered(wanted: to.GatherPostMortem) -> Event:
    """No output is kept in a simulated world: a post-mortem is gathered as soon as it is wanted."""
    told = wanted.post_mortem
    return PostMortemGathered(task_arn=told.task, ended=told.ended, healings=told.healings)
