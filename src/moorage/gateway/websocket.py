"""The server's end of one websocket: what it says waits here, so that nobody waits for a slow peer."""

import asyncio
from collections.abc import Callable
from typing import Any

from moorage.gateway.exchange import Send

# A peer that lets so much wait takes nothing any more: its connection is given up.
FRAMES_WAITING_MAX = 4096
BYTES_WAITING_MAX = 32 * 1024 * 1024
# How long the last words may take to leave.
CLOSE_SECONDS_MAX = 5.0


class Socket:
    """One websocket that was accepted; frames leave in order, written by one task."""

    def __init__(self, send: Send, give_up: Callable[[], None]) -> None:
        """Take ASGI's send, and what ends the connection where the peer does not let it end."""
        self._send = send
        self._give_up = give_up
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._waiting_bytes = 0
        self._open = True
        self._deadline: asyncio.TimerHandle | None = None
        self._writer = asyncio.create_task(self._write())

    def frame(self, text: str) -> None:
        """Say this; a socket that is gone swallows it, as the network would."""
        if not self._open:
            return
        self._waiting_bytes += len(text)
        full = self._waiting.qsize() >= FRAMES_WAITING_MAX
        if full or self._waiting_bytes > BYTES_WAITING_MAX:
            self._open = False
            self._give_up()
            return
        self._waiting.put_nowait({"type": "websocket.send", "text": text})

    def close(self, code: int) -> None:
        """Close with a code, after what was said before; by force where that takes too long."""
        if self._open:
            self._open = False
            self._waiting.put_nowait({"type": "websocket.close", "code": code})
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(CLOSE_SECONDS_MAX, self._give_up)

    def gone(self) -> None:
        """The peer went away, or the connection was given up: nothing is said any more."""
        self._open = False
        self._writer.cancel()
        if self._deadline is not None:
            self._deadline.cancel()

    async def _write(self) -> None:
        while True:
            message = await self._waiting.get()
            try:
                await self._send(message)
            except (OSError, RuntimeError):
                return  # who reads from it meets the same end
            self._waiting_bytes -= len(message.get("text", ""))
