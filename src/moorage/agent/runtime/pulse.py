"""Port Pulse: the two cheap questions by which an engine is watched.

`ping` asks whether it is there, over a connection of its own: an engine that is on its way out
takes no new ones, while it goes on serving those that it has. `roster` asks what it has, in one
call however many containers there are.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from moorage.agent.runtime.port import Status
from moorage.ground.record import Record


class Row(Record):
    """One container as a list shows it."""

    id: str
    name: str
    status: Status
    labels: dict[str, str] = msgspec.field(default_factory=dict)


class Pulse(Protocol):
    """What the vigil and the patrol ask of an engine."""

    async def ping(self) -> None:
        """Return if the engine takes a new connection and answers; raises EngineUnavailable."""
        ...

    async def roster(self, labels: Mapping[str, str]) -> tuple[Row, ...]:
        """All containers that carry `labels`, in any state, without details.

        Raises EngineUnavailable.
        """
        ...
