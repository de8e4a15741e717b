"""The parts of a registered host, and the wires between them: the composition root of this house.

Everything that waits is made here and handed to the others. A host that registered before begins
its work at once, even while no server answers: tasks are kept, restarted by their own policy and
reported later. Which process this is, and how it becomes a host, is in `process.py`.
"""

import asyncio
import contextlib
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from moorage.acs.codec import INACTIVE_INSTANCE, Refusal
from moorage.acs.messages import AgentMessage, ServerMessage
from moorage.agent import capability, journal, publishing
from moorage.agent.certificates import Logins
from moorage.agent.cgroups import Cgroups
from moorage.agent.checkpoint import Checkpoint
from moorage.agent.contact import Contact
from moorage.agent.control import ControlPlane
from moorage.agent.dial import Dialler, NotOpened, Opened
from moorage.agent.engine import instructions as to
from moorage.agent.engine.events import AgentStarted, Event, HostDeregistered
from moorage.agent.engine.machine import Engine
from moorage.agent.former import host_label
from moorage.agent.identity import Identity
from moorage.agent.joining import RETRY_SECONDS_MAX
from moorage.agent.links import AcsLink
from moorage.agent.loop import AgentLoop
from moorage.agent.membership import Membership, until_registered
from moorage.agent.options import AgentOptions, OptionsRefused
from moorage.agent.output import OutputStreams
from moorage.agent.performer import Performer, Tools
from moorage.agent.post_mortems import PostMortems, submit_by
from moorage.agent.process_table import booted_at
from moorage.agent.proxy import RegistryProxy, loopback_address, registry_names
from moorage.agent.pulling import Puller
from moorage.agent.records.host import Host
from moorage.agent.reports import Reporter
from moorage.agent.rotation import Rotation
from moorage.agent.runtime.docker import DockerRuntime
from moorage.agent.runtime.port import EngineFacts
from moorage.agent.session.respond import respond
from moorage.agent.slots import Slots, slots_for
from moorage.agent.telemetry import Gauge, TcsLink
from moorage.agent.tokens import RegistryTokens
from moorage.agent.trust import Trust, take_authorities
from moorage.agent.watching import EngineWatch
from moorage.ground.chance import Chance
from moorage.ground.clock import Clock
from moorage.ground.instant import Moment

EXIT_RETRY = 1  # a supervisor should start it again
MESSAGE_ID_DIGITS = 32
GIVEN_UP = (
    "This host was deregistered, so its tasks are stopped. To have it back, stop this agent and "
    "join again with a new token (moorage host token) and an empty data folder; else stop and "
    "uninstall it."
)
log = logging.getLogger(journal.LOGGER)


async def forever(step: Callable[[], Awaitable[None]]) -> None:
    """Take one step after another until cancelled."""
    while True:
        await step()


def harmless(step: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The same step, whose failure is logged and waited out: what no task depends on."""

    async def guarded() -> None:
        try:
            await step()
        except Exception:
            log.exception("telemetry has failed; it goes on")
            await asyncio.sleep(RETRY_SECONDS_MAX)

    return guarded


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a host finds: its options, time and chance, and who closes what is opened."""

    options: AgentOptions
    clock: Clock
    chance: Chance
    stack: AsyncExitStack

    async def open(self, thing: Any) -> None:
        """Have `thing` closed with everything else, before what was opened earlier."""
        self.stack.push_async_callback(thing.aclose)


class Standing(Protocol):
    """What this host's standing with its server is made of."""

    control: ControlPlane
    trust: Trust
    member: Membership
    rotation: Rotation
    logins: Logins


class Parts:
    """The parts of a registered host, and the wires between them."""

    def __init__(
        self, agent: Surroundings, who: Identity, facts: EngineFacts, standing: Standing
    ) -> None:
        """Take what is known; `build` makes the rest."""
        self.agent = agent
        self.options = agent.options
        self.who = who
        self.facts = facts
        self.standing = standing
        self.control = standing.control
        self.connected_once = False
        self.impairment: str | None = None
        self.name = host_label(who.name, who.container_instance_arn)

    async def build(self, runtime: DockerRuntime, limits: Cgroups | None) -> None:
        """Make everything; nothing of it works yet but the proxy."""
        clock, chance, control = self.agent.clock, self.agent.chance, self.control
        self.watch = EngineWatch(runtime, self._feed, clock)
        guarded = self.watch.runtime
        proxy = await self._open_proxy()
        self.puller = Puller(guarded, clock, proxy, (self.who.account, self.who.region))
        self.puller.add_names(registry_names(self.options.endpoint, self.who.names))
        count = self.options.starts_at_once or slots_for(self.facts.cpus)
        folder = self.options.run_folder or default_run_folder()
        tools = Tools(
            runtime=guarded,
            images=guarded,
            puller=self.puller,
            slots=Slots(folder, self.facts.engine_id, count, clock, chance),
            vigil=self.watch.vigil,
            clock=clock,
            cgroups=limits,
        )
        self.performer = Performer(tools, self.name)
        self.reporter = Reporter(self.standing.member.submit, chance)
        self.contact = Contact(self.options.data, clock, self._feed_contact)
        self.post_mortems = PostMortems(
            self.options.data / "post-mortems", guarded, self.who.cluster, submit_by(control)
        )
        self.dialler = Dialler(control, self.who.container_instance_arn)
        await self.agent.open(self.dialler)
        self.acs = AcsLink(self._dial_acs, self, clock, chance)
        await self.agent.open(self.acs)
        self.tcs = TcsLink(self._open_tcs, self._sign, clock, chance)
        self.output = OutputStreams(guarded, self.acs.say_in_turn, self.watch.breaker.enrol)
        await self.agent.open(self.output)
        self.loop = self._loop(limits)
        await self.agent.open(self.loop)

    async def serve(self, registering: asyncio.Future[str]) -> int:
        """Work until cancelled, or until a part fails: then the process is started anew."""
        since = self.agent.clock.now()
        self.loop.feed(AgentStarted())
        observer, patrol = self.watch.over(self.name, self.loop.engine.tasks)
        gauge = Gauge(
            self.watch.runtime,
            self.loop.engine.tasks,
            self._sender(),
            self.agent.clock,
            self.agent.chance,
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(forever(self.loop.step), name="loop")
                group.create_task(forever(self.watch.vigil.step), name="vigil")
                group.create_task(forever(patrol.step), name="patrol")
                group.create_task(observer.run(since), name="observer")
                group.create_task(forever(self.contact.step), name="contact")
                await until_registered(registering, self._open_acs)
                group.create_task(forever(harmless(self.post_mortems.step)), name="post-mortems")
                self.standing.logins.write()
                group.create_task(forever(self.standing.rotation.step), name="rotation")
                self.acs.begin()
                group.create_task(forever(self.acs.step), name="acs")
                group.create_task(forever(harmless(self.tcs.step)), name="tcs")
                measure = harmless(lambda: gauge.step(self.tcs.publish))
                group.create_task(forever(measure), name="gauge")
        except* OptionsRefused as refused:
            raise refused.exceptions[0] from None
        except* Exception:
            log.exception("the agent has failed")
        return EXIT_RETRY

    def opened(self, dialled_at: Moment) -> None:
        """The server is there: reports that wait are tried now, old readers of logs are gone."""
        self.connected_once = True
        self.contact.opened(dialled_at)
        self.tcs.hurry()
        self.output.cancel_all()
        self.reporter.server_heard()
        self.post_mortems.server_heard()

    def closed(self) -> None:
        """The server is away."""
        self.contact.closed()

    def refused(self, refusal: Refusal) -> None:
        """The server does not want this host; only its own word that it is gone stops tasks."""
        self.standing.member.refused(refusal)
        if refusal.name == INACTIVE_INSTANCE:
            log.error(GIVEN_UP)
            self.loop.feed(HostDeregistered())

    def hear(self, message: ServerMessage) -> None:
        """Take in what the server said on ACS."""
        self.contact.heard(message)
        response = respond(message)
        if response.ignored is not None:
            log.info("%s: %s", type(message).__name__, response.ignored)
        for instruction in response.instructions:
            self._at_once[type(instruction)](instruction)
        for event in response.events:
            self.loop.feed(event)

    def _loop(self, limits: Cgroups | None) -> AgentLoop:
        checkpoint = Checkpoint(self.options.data / "checkpoint", self.who.container_instance_arn)
        loaded = checkpoint.load()
        for path in loaded.damaged:
            log.error("%s was damaged and is set aside; its task is known by its labels", path)
        host = Host(
            name=self.name,
            cluster=self.who.cluster,
            container_instance_arn=self.who.container_instance_arn,
            publish_address=self.options.publish_address,
            cpu=capability.cpu_units(self.facts, self.options),
            memory_mebibytes=capability.memory_mebibytes(self.facts, self.options),
            reserved_ports=capability.reserved_ports(self.options),
            cgroup_root=None if limits is None else f"/moorage/{self.name}",
            booted_at=booted_at(),
        )
        self._at_once: dict[type[object], Callable[[Any], None]] = {
            to.SendMessage: lambda wanted: self._say(wanted.message),
            to.PublishHealth: self._publish_health,
            to.PublishInstanceStatus: self._publish_status,
            to.StreamLogs: self.output.begin,
            to.AllowLogs: lambda wanted: self.output.allow(wanted.request_id, wanted.chunks),
            to.CancelLogs: lambda wanted: self.output.cancel(wanted.request_id),
            to.ConfigureRegistry: self._configure,
            to.TrustAuthorities: self._believe,
            to.RotateKey: lambda _wanted: self.standing.rotation.request(),
            # Nothing serves them to containers yet: no task with a role is placed here.
            to.KeepCredentials: lambda _wanted: None,
        }
        beside: dict[type[object], Callable[[Any], Awaitable[Event | None]]] = dict.fromkeys(
            self.performer.handlers, self.performer.perform
        )
        beside[to.SubmitTaskStateChange] = self.reporter.report
        beside[to.GatherPostMortem] = self.post_mortems.gather
        engine = Engine(host, loaded.tasks, loaded.memory)
        return AgentLoop(engine, checkpoint, self.agent.clock, self._at_once, beside)

    async def _open_proxy(self) -> RegistryProxy:
        """The pull proxy, on an address of this host's own or on the one that always exists."""
        tokens = RegistryTokens(self.control.registry_token, self.agent.clock)
        for address in (loopback_address(self.name), "127.0.0.1"):
            proxy = RegistryProxy(self.options.endpoint, tokens, address, self.agent.chance)
            proxy.believe(self.standing.trust)
            await self.agent.open(proxy)
            try:
                await proxy.start()
            except OSError as error:
                log.warning("no registry proxy on %s: %s", address, error)
            else:
                return proxy
        raise OptionsRefused("No address of loopback can be listened on.")

    def _feed(self, event: Event) -> None:
        self.loop.feed(event)

    def _say(self, message: AgentMessage) -> None:
        self.contact.saying(message)
        self.acs.say(message)

    def _feed_contact(self, event: Event) -> None:
        self.loop.feed(self.standing.member.tempered(event))

    def _configure(self, wanted: to.ConfigureRegistry) -> None:
        self.puller.add_names(wanted.names)
        self.standing.logins.add(wanted.names)

    def _believe(self, wanted: to.TrustAuthorities) -> None:
        answer = take_authorities(self.standing.trust, wanted)
        if answer is not None:
            self.acs.say(answer)

    async def _open_acs(self) -> Opened:
        return await self.dialler.open_acs(
            self.facts.version,
            first=not self.connected_once,
            timeline=self.loop.engine.timeline(),
        )

    async def _dial_acs(self) -> Opened:
        with contextlib.suppress(OptionsRefused):  # what the handshake says is final
            await self.standing.member.confirm()
        return await self._open_acs()

    async def _open_tcs(self) -> Opened:
        if not self.standing.member.is_registered:
            raise NotOpened("this host is not registered")
        return await self.dialler.open_tcs(self.facts.version)

    def _sign(self, url: str, body: bytes) -> dict[str, str]:
        return self.control.client.signed_headers("GET", url, "ecs", body=body)

    def _sender(self) -> publishing.Sender:
        return publishing.Sender(
            cluster=self.who.cluster, container_instance=self.who.container_instance_arn
        )

    def _publish_health(self, wanted: to.PublishHealth) -> None:
        name, now = self.agent.chance.hex(MESSAGE_ID_DIGITS), self.agent.clock.now()
        for message in publishing.health(wanted, self._sender(), name, now):
            self.tcs.publish(message)

    def _publish_status(self, wanted: to.PublishInstanceStatus) -> None:
        if wanted.impaired and wanted.reason != self.impairment:
            log.warning("this host is impaired: %s", wanted.reason)
        self.impairment = wanted.reason
        name, now = self.agent.chance.hex(MESSAGE_ID_DIGITS), self.agent.clock.now()
        self.tcs.publish(publishing.status(wanted, self._sender(), name, now))


def default_run_folder() -> Path:
    """The folder that all agents of one user share: /run for root, else below the temporary."""
    user = os.geteuid()
    return Path("/run/moorage") if user == 0 else Path(tempfile.gettempdir()) / f"moorage-{user}"
