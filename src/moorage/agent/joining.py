"""How a machine becomes a host: the engine is described, the server believed, a token buys a key.

Each step waits for what is not there yet (the engine, the server) however long that takes, and
ends with OptionsRefused where waiting is of no use.
"""

import asyncio
import logging

import aiohttp

from moorage.agent import identity, journal
from moorage.agent.control import Application, join
from moorage.agent.former import former_instance
from moorage.agent.identity import Identity
from moorage.agent.options import AgentOptions
from moorage.agent.runtime.port import ContainerRuntime, EngineFacts, EngineUnavailable
from moorage.agent.trust import Trust, establish, split_token
from moorage.wire.client import RemoteFault, Unreachable

RETRY_SECONDS_FIRST = 0.5
RETRY_SECONDS_MAX = 15.0
log = logging.getLogger(journal.LOGGER)


async def describe(runtime: ContainerRuntime) -> EngineFacts:
    """What the engine is; waits for one that is not there yet."""
    wait_seconds = RETRY_SECONDS_FIRST
    while True:
        try:
            return await runtime.describe()
        except EngineUnavailable as failure:
            log.warning("%s; waiting for it", failure.reason)
        await asyncio.sleep(wait_seconds)
        wait_seconds = min(2 * wait_seconds, RETRY_SECONDS_MAX)


async def become_host(
    options: AgentOptions, trust: Trust, runtime: ContainerRuntime, session: aiohttp.ClientSession
) -> Identity:
    """Join, however long it takes. Raises OptionsRefused where this host is not let in."""
    wait_seconds = RETRY_SECONDS_FIRST
    secret, _ = split_token(options.token)
    while True:
        try:
            previous = "" if options.new_host else await _former(options.name, runtime)
            await establish(trust, options, session, is_new=True)
            wanted = Application(token=secret, name=options.name, previous_instance=previous)
            joined = await join(options.endpoint, wanted, trust, session)
        except (RemoteFault, EngineUnavailable) as failure:
            log.warning("cannot join: %s; trying again", failure)
        else:
            identity.keep(options.data, joined)
            log.info(
                "joined cluster %s%s", joined.cluster, f" again as {previous}" * bool(previous)
            )
            return joined
        await asyncio.sleep(wait_seconds)
        wait_seconds = min(2 * wait_seconds, RETRY_SECONDS_MAX)


async def believe(trust: Trust, options: AgentOptions, session: aiohttp.ClientSession) -> None:
    """Know whom to believe, as a host that joined before, however long that takes.

    Raises OptionsRefused.
    """
    wait_seconds = RETRY_SECONDS_FIRST
    while True:
        try:
            await establish(trust, options, session, is_new=False)
        except Unreachable as failure:
            log.warning("%s; trying again", failure)
        else:
            return
        await asyncio.sleep(wait_seconds)
        wait_seconds = min(2 * wait_seconds, RETRY_SECONDS_MAX)


async def _former(name: str, runtime: ContainerRuntime) -> str:
    return former_instance(name, await runtime.containers({}))
