"""What the engine was when it last answered, so that a host is there even while its engine is not.

A host whose machine came up without its engine must not be a host that is away: it connects, says
that its engine is lost, and is judged by that. `DATA/engine.json`; whoever never had an engine
waits for one.
"""

import asyncio
import logging
from pathlib import Path

import msgspec

from moorage.agent import journal
from moorage.agent.joining import describe
from moorage.agent.runtime.port import ContainerRuntime, EngineFacts

FILE = "engine.json"
ENGINE_WAIT_SECONDS = 10.0
log = logging.getLogger(journal.LOGGER)


async def known_engine(
    runtime: ContainerRuntime, data: Path, wait_seconds: float = ENGINE_WAIT_SECONDS
) -> EngineFacts:
    """What the engine is; after `wait_seconds` without an answer, what it was.

    Waits for as long as it takes where neither is known.
    """
    before = _recall(data)
    try:
        async with asyncio.timeout(None if before is None else wait_seconds):
            facts = await describe(runtime)
    except TimeoutError:
        assert before is not None, "without facts there is no end to the wait"
        log.warning(
            "the container engine does not answer; this host goes on as it was (%s, %d CPUs)",
            before.version,
            before.cpus,
        )
        return before
    if facts != before:
        _keep(data, facts)
    return facts


def _recall(data: Path) -> EngineFacts | None:
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=EngineFacts)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _keep(data: Path, facts: EngineFacts) -> None:
    beside = data / f"{FILE}.new"
    try:
        beside.write_bytes(msgspec.json.encode(facts))
        beside.replace(data / FILE)
    except OSError as error:
        log.warning("cannot keep what the engine is in %s: %s", data, error)
