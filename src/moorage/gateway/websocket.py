"""A line of any websocket that speaks ASGI: served by two tasks, one for each way."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from moorage.gateway.exchange import Message, Receive, Send
from moorage.gateway.line import BYTES_WAITING_MAX, CLOSE_SECONDS_MAX, CUT, Ear, Line

FRAMES_WAITING_MAX = 4096


class Socket:
    """Implements Line by ASGI: frames leave in order, written by one task."""

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
        """Say this."""
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
        """Close with a code."""
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


async def pump(receive: Receive, send: Send, listen: Callable[[Line], Ear]) -> None:
    """Serve one websocket that was accepted, by ASGI, to its end."""
    code: int | None = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(None) as patience:
            socket = Socket(send, lambda: patience.reschedule(0))
            ear = listen(socket)
            try:
                while (message := await receive())["type"] != "websocket.disconnect":
                    work = ear.heard(_frame(message))
                    if work is not None:
                        await work
                code = message.get("code") or CUT
            finally:
                socket.gone()
                ear.ended(code)


def _frame(message: Message) -> str | bytes:
    text: str | bytes = message.get("text") or message.get("bytes") or ""
    return text
