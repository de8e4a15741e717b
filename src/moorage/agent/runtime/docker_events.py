"""Docker's event stream, mended after breaks: nothing twice, and a `gap` where some may be missing.

That it broke is told at once (`break`): it is the first sign of an engine that goes.

The engine keeps its last 256 events and answers `since` from them, inclusively; so a new stream
begins a little before the last event that was seen, and what was seen already is dropped. An
engine that restarted has forgotten them, which is what the `gap` is for.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping

import msgspec

from moorage.agent.runtime import docker_records
from moorage.agent.runtime.docker_client import EngineClient, Refused, lines
from moorage.agent.runtime.port import EngineUnavailable, RuntimeEvent
from moorage.ground.instant import MICROSECONDS_PER_SECOND, Duration, Instant, earlier, seconds

ACTIONS = ("create", "start", "die", "kill", "oom", "health_status", "destroy")
OVERLAP: Duration = seconds(2)
REMEMBERED_MAX = 1024
RETRY_SECONDS_FIRST = 0.05
RETRY_SECONDS_MAX = 2.0

_Seen = OrderedDict[tuple[int, str, str, str], None]


async def watch(
    client: EngineClient, labels: Mapping[str, str], since: Instant | None
) -> AsyncIterator[RuntimeEvent]:
    """Events of the containers that carry `labels`; the promise is ContainerRuntime.watch's."""
    position, begin, broken = since, since, False
    seen: _Seen = OrderedDict()
    wait_seconds = RETRY_SECONDS_FIRST
    while not client.closed:
        try:
            async with client.stream("GET", "/events", _query(labels, begin)) as reader:
                if broken:
                    # Subscribed again first, so that nothing hides between look and stream.
                    broken = False
                    yield RuntimeEvent(action="gap", at=position or Instant(0))
                async for line in lines(reader):
                    wait_seconds = RETRY_SECONDS_FIRST
                    event = docker_records.event(line)
                    if event is None or _is_known(seen, event):
                        continue
                    position = Instant(max(position or event.at, event.at))
                    yield event
        except (EngineUnavailable, Refused):
            pass  # the caller learns of it by asking; here only patience helps
        if not broken:
            yield RuntimeEvent(action="break", at=position or Instant(0))
        broken = True
        begin = earlier(position, OVERLAP) if position is not None else None
        await asyncio.sleep(wait_seconds)
        wait_seconds = min(2 * wait_seconds, RETRY_SECONDS_MAX)


def _is_known(seen: _Seen, event: RuntimeEvent) -> bool:
    key = (event.at, event.id, event.action, event.health + str(event.signal))
    if key in seen:
        return True
    seen[key] = None
    if len(seen) > REMEMBERED_MAX:
        seen.popitem(last=False)
    return False


def _query(labels: Mapping[str, str], since: Instant | None) -> dict[str, str]:
    filters = {
        "type": ["container"],
        "event": list(ACTIONS),
        "label": [f"{name}={value}" for name, value in labels.items()],
    }
    query = {"filters": msgspec.json.encode(filters).decode()}
    if since is not None:
        whole, rest = divmod(max(since, 0), MICROSECONDS_PER_SECOND)
        query["since"] = f"{whole}.{rest * 1000:09d}"
    return query
