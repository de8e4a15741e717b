"""The host agent as a process: joins, registers, and serves until it is told to end.

Ending (SIGTERM, SIGINT) saves and closes, and lets containers run on; the next start takes them up
without restarting one. What a host is made of is in `shell.py`.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable
from contextlib import AsyncExitStack

import aiohttp

from moorage.agent import capability, identity, journal
from moorage.agent.certificates import Logins, folder_for
from moorage.agent.cgroups import find_cgroups
from moorage.agent.control import ControlPlane, Registration
from moorage.agent.identity import Identity
from moorage.agent.joining import become_host, believe
from moorage.agent.membership import Membership
from moorage.agent.options import AgentOptions, OptionsRefused, check
from moorage.agent.proxy import registry_names
from moorage.agent.remembered import known_engine
from moorage.agent.rotation import HostKeys, Rotation
from moorage.agent.runtime.docker import DockerRuntime
from moorage.agent.shell import Parts, Surroundings
from moorage.agent.trust import Trust
from moorage.ground.chance import SystemChance
from moorage.ground.clock import SystemClock

EXIT_DONE = 0
CLIENT_TOKEN_DIGITS = 32
PROBE_DIGITS = 12


async def run_agent(options: AgentOptions) -> int:
    """Be a host until SIGTERM or SIGINT; the answer is the exit status.

    Raises OptionsRefused where starting again is no use before something was changed: an option,
    a token that was used, the data of another host, an instance that was deregistered.
    """
    check(options)
    journal.begin(options.name or "host")
    lock = identity.claim(options.data)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with AsyncExitStack() as stack:
            return await _until(
                stop, _serve(Surroundings(options, SystemClock(), SystemChance(), stack))
            )
    finally:
        os.close(lock)


async def join_now(options: AgentOptions) -> None:
    """Join and no more: what lies in the data folder afterwards is all that an agent needs.

    Raises OptionsRefused.
    """
    check(options)
    journal.begin(options.name or "host")
    lock = identity.claim(options.data)
    try:
        trust = Trust(options.data, options.endpoint)
        async with DockerRuntime(options.docker_socket) as runtime, aiohttp.ClientSession() as http:
            await become_host(options, trust, runtime, http)
    finally:
        os.close(lock)


async def _until(stop: asyncio.Event, work: Awaitable[int]) -> int:
    """The answer of `work`, or 0 where it is told to stop first."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    return EXIT_DONE


class HostStanding:
    """What this host's standing with its server is made of."""

    def __init__(
        self, around: Surroundings, who: Identity, trust: Trust, session: aiohttp.ClientSession
    ) -> None:
        """Sign with the key of `who`, believe `trust`; the session is the caller's to close."""
        options, clock = around.options, around.clock
        self._around = around
        self._session = session
        self.trust = trust
        self.control = ControlPlane(options.endpoint, who, session, clock, around.chance)
        self.control.believe(trust)
        trust.listen(lambda: self.control.believe(trust))
        self.keys = HostKeys(options.data, who, self.control, clock)
        names = registry_names(options.endpoint, who.names)
        self.logins = Logins(folder_for(options), trust, names)

    async def enter(self, registration: Registration) -> "asyncio.Future[str]":
        """Begin to register; where that was never done, wait until it is."""
        chance, clock = self._around.chance, self._around.clock
        self.member = Membership(self.control, self.keys, registration, chance)
        self.rotation = Rotation(self.keys, self.member.register, clock, chance)
        registering = asyncio.ensure_future(self._register())
        if not registration.container_instance_arn:
            try:
                self.keys.keep(container_instance_arn=await registering)
            finally:
                registering.cancel()
        return registering

    async def _register(self) -> str:
        await believe(self.trust, self._around.options, self._session)
        return await self.member.register()


async def _serve(around: Surroundings) -> int:
    """Start everything and serve; ends only by a failure or by cancellation."""
    options, chance = around.options, around.chance
    kept = identity.load(options.data)
    if kept is None and not options.token:
        raise OptionsRefused(
            "This host has not joined yet: give it a token (`moorage host token` prints one)."
        )
    trust = Trust(options.data, options.endpoint)
    runtime = await around.stack.enter_async_context(DockerRuntime(options.docker_socket))
    session = await around.stack.enter_async_context(aiohttp.ClientSession())
    facts = await known_engine(runtime, options.data)
    who = kept or await become_host(options, trust, runtime, session)
    standing = HostStanding(around, who, trust, session)
    limits = await find_cgroups(facts, f"/moorage/probe-{chance.hex(PROBE_DIGITS)}")
    registering = await standing.enter(
        Registration(
            attributes=capability.attributes(facts, options, task_limits=limits is not None),
            resources=capability.total_resources(facts, options),
            platform_devices=capability.platform_devices(options),
            client_token=chance.hex(CLIENT_TOKEN_DIGITS),
            container_instance_arn=who.container_instance_arn,
        )
    )
    parts = Parts(around, standing.keys.who, facts, standing)
    try:
        await parts.build(runtime, limits)
        return await parts.serve(registering)
    finally:
        registering.cancel()
