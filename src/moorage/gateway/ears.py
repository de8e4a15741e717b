"""Who listens to an agent's websockets: ACS leads to its link, TCS to what is kept of its host."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from moorage.acs import telemetry
from moorage.acs.codec import Unreadable
from moorage.acs.session import CLOSE_SILENT
from moorage.ecs.rules.host.loss import ending_of
from moorage.gateway.line import Line
from moorage.gateway.link import Link
from moorage.ground.fault import Fault

_log = logging.getLogger("moorage.agents")


class Commands:
    """Implements Ear on ACS: what an agent says goes to its link."""

    __slots__ = ("_link", "_number")

    def __init__(self, link: Link, number: int) -> None:
        """Listen for a link's connection of this number."""
        self._link = link
        self._number = number

    def heard(self, frame: str | bytes) -> Coroutine[Any, Any, None] | None:
        """A message came."""
        return self._link.heard(self._number, frame)

    def ended(self, code: int | None) -> None:
        """The connection is over."""
        how = "silent" if code is None else ending_of(code)
        self._link.disconnected(self._number, how)


class Publications:
    """Implements Ear on TCS: what is published is kept, and acknowledged; silence ends it."""

    __slots__ = ("_heard_at", "_line", "_link", "_loop", "_patience", "_timer")

    def __init__(self, link: Link, line: Line, silence_seconds_max: float) -> None:
        """Listen for a link."""
        self._link = link
        self._line = line
        self._patience = silence_seconds_max
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(self._patience, self._look)

    def heard(self, frame: str | bytes) -> Coroutine[Any, Any, None] | None:
        """A publication came; what is to be kept is kept before the next is read."""
        self._heard_at = self._loop.time()
        published = telemetry.decode_publication(frame)
        if isinstance(published, Unreadable):
            _log.warning("telemetry of %s not understood: %s", self._link.arn, published.reason)
            return None
        if self._link.knows(published.message):
            self._line.frame(telemetry.answer_to(published.message))
            return None
        return self._keep(published.message)

    def ended(self, code: int | None) -> None:
        """The connection is over."""
        del code
        self._timer.cancel()
        self._link.publishes_no_more(self._line)

    async def _keep(self, message: telemetry.Publication) -> None:
        try:
            await self._link.publish(message)
        except Fault as fault:
            _log.warning("telemetry of %s was not kept: %s", self._link.arn, fault.message)
        else:
            self._line.frame(telemetry.answer_to(message))

    def _look(self) -> None:
        left = self._heard_at + self._patience - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._line.close(CLOSE_SILENT)
