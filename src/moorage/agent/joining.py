"""How a machine becomes a host: the engine is described, a token buys a key, the host registers.

Each step waits for what is not there yet (the engine, the server) however long that takes, and
ends with OptionsRefused where waiting is of no use.
"""

import asyncio
import logging

import aiohttp

from moorage.agent import identity, journal
from moorage.agent.control import FINAL_CODES, ControlPlane, Registration, join
from moorage.agent.identity import Identity
from moorage.agent.options import AgentOptions, OptionsRefused
from moorage.agent.runtime.docker import DockerRuntime
from moorage.agent.runtime.port import EngineFacts, EngineUnavailable
from moorage.ground.chance import Chance
from moorage.wire.client import RemoteFault

RETRY_SECONDS_FIRST = 0.5
RETRY_SECONDS_MAX = 15.0
log = logging.getLogger(journal.LOGGER)


async def describe(runtime: DockerRuntime) -> EngineFacts:
    """What the engine is; waits for one that is not there yet."""
    wait_seconds = RETRY_SECONDS_FIRST
    while True:
        try:
            return await runtime.describe()
        except EngineUnavailable as failure:
            log.warning("%s; waiting for it", failure.reason)
        await asyncio.sleep(wait_seconds)
        wait_seconds = min(2 * wait_seconds, RETRY_SECONDS_MAX)


async def become_host(options: AgentOptions, session: aiohttp.ClientSession) -> Identity:
    """Join, however long it takes. Raises OptionsRefused for a token that is no good."""
    wait_seconds = RETRY_SECONDS_FIRST
    while True:
        try:
            joined = await join(options.endpoint, options.token, options.name, session)
        except RemoteFault as fault:
            log.warning("cannot join: %s; trying again", fault)
        else:
            identity.keep(options.data, joined)
            log.info("joined cluster %s", joined.cluster)
            return joined
        await asyncio.sleep(wait_seconds)
        wait_seconds = min(2 * wait_seconds, RETRY_SECONDS_MAX)


async def register(control: ControlPlane, registration: Registration, chance: Chance) -> str:
    """Register, however long it takes. Raises OptionsRefused where the server never will."""
    wait_seconds = RETRY_SECONDS_FIRST
    while True:
        try:
            arn = await control.register(registration)
        except RemoteFault as fault:
            if fault.code in FINAL_CODES:
                raise OptionsRefused(f"The server refuses this host: {fault}") from fault
            log.warning("cannot register: %s; trying again", fault)
        else:
            log.info("registered as %s", arn)
            return arn
        jitter = 1 + chance.uniform(0, 0.2)
        await asyncio.sleep(wait_seconds * jitter)
        wait_seconds = min(2 * wait_seconds, RETRY_SECONDS_MAX)
