"""One websocket of an agent, as the agents' door sees it: a line to speak on, an ear that listens.

What is said waits on the line, so that nobody waits for a slow peer. `upgraded.py` is what the
listening socket has; `websocket.py` makes a line of anything that speaks ASGI.
"""

from collections.abc import Coroutine
from typing import Any, Protocol

# A peer that lets so much wait takes nothing any more: its connection is given up.
BYTES_WAITING_MAX = 32 * 1024 * 1024
# How long the last words may take to leave.
CLOSE_SECONDS_MAX = 5.0
CUT = 1006


class Line(Protocol):
    """Where one websocket is spoken on."""

    def frame(self, text: str) -> None:
        """Say this; a line that is gone swallows it, as the network would."""
        ...

    def close(self, code: int) -> None:
        """Close with a code, after what was said before; by force where that takes too long."""
        ...


class Ear(Protocol):
    """Who listens to one websocket."""

    def heard(self, frame: str | bytes) -> Coroutine[Any, Any, None] | None:
        """A message came; what is answered is to be done before more is read."""
        ...

    def ended(self, code: int | None) -> None:
        """It is over, by this code of either end; None: it took nothing, and was given up."""
        ...
