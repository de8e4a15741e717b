"""Containers' output for whoever reads it: streams of LogsChunk messages over the agent's link."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from moorage.acs.codec import LOG_CHUNK_BYTES_MAX
from moorage.acs.messages import LogsChunk
from moorage.agent.engine.instructions import StreamLogs
from moorage.agent.runtime.port import ContainerRuntime, LogChunk, LogRequest, RuntimeFailure

STREAMS_MAX = 32
CHUNKS_AHEAD_MAX = 512
CHUNKS_ALLOWED_MAX = 1024
TOO_MANY = "too many logs of this host are read at once"
BROKEN_OFF = "the container engine of this host is lost; the output goes on when it is back"

# Says a message when those before it have left; False where nobody is connected.
Say = Callable[[LogsChunk], Awaitable[bool]]
# Has a task cancelled when the engine is lost.
Enrol = Callable[[asyncio.Task[None]], None]


class OutputStreams:
    """The streams that are open, by the id of the request."""

    def __init__(self, runtime: ContainerRuntime, say: Say, enrol: Enrol | None = None) -> None:
        """Read from `runtime`, send by `say`; what reads is enrolled by `enrol`."""
        self._runtime = runtime
        self._say = say
        self._enrol = enrol
        self._open: dict[str, asyncio.Task[None]] = {}
        self._allowed: dict[str, asyncio.Semaphore] = {}

    def begin(self, wanted: StreamLogs) -> None:
        """Send the output until its end; a request that is open already goes on."""
        if wanted.request_id in self._open:
            return
        full = len(self._open) >= STREAMS_MAX
        work = self._end(wanted.request_id, TOO_MANY) if full else self._stream(wanted)
        task = asyncio.ensure_future(work)
        task.set_name(f"logs {wanted.request_id}")
        self._open[wanted.request_id] = task
        if wanted.window is not None:
            self._allowed[wanted.request_id] = asyncio.Semaphore(wanted.window)
        task.add_done_callback(lambda _: self._forget(wanted.request_id))

    def allow(self, request_id: str, chunks: int) -> None:
        """Its reader has read on: so many more messages may be sent."""
        allowed = self._allowed.get(request_id)
        for _ in range(min(chunks, CHUNKS_ALLOWED_MAX) if allowed else 0):
            self._allowed[request_id].release()

    def cancel(self, request_id: str) -> None:
        """Nobody reads it any more."""
        task = self._open.get(request_id)
        if task is not None:
            task.cancel()

    def cancel_all(self) -> None:
        """Nobody reads anything any more."""
        for task in list(self._open.values()):
            task.cancel()

    async def aclose(self) -> None:
        """End all streams."""
        self.cancel_all()

    def _forget(self, request_id: str) -> None:
        self._open.pop(request_id, None)
        self._allowed.pop(request_id, None)

    async def _end(self, request_id: str, error: str | None = None) -> None:
        await self._say(LogsChunk(request_id=request_id, end=True, error=error))

    async def _stream(self, wanted: StreamLogs) -> None:
        request = LogRequest(
            id=wanted.runtime_id,
            follow=wanted.follow,
            tail=wanted.tail_lines,
            since=wanted.since,
        )
        ahead: asyncio.Queue[LogChunk | None] = asyncio.Queue(CHUNKS_AHEAD_MAX)
        reader = asyncio.ensure_future(_fill(self._runtime, request, ahead))
        if self._enrol is not None:
            self._enrol(reader)
        try:
            async for message in _joined(wanted.request_id, ahead):
                allowed = self._allowed.get(wanted.request_id)
                if allowed is not None:
                    await allowed.acquire()
                if not await self._say(message):
                    return
            await asyncio.wait((reader,))
            if reader.cancelled():
                await self._end(wanted.request_id, BROKEN_OFF)
                return
            reader.result()
        except RuntimeFailure as failure:
            await self._end(wanted.request_id, failure.reason)
            return
        finally:
            reader.cancel()
        await self._end(wanted.request_id)


async def _fill(
    runtime: ContainerRuntime, request: LogRequest, ahead: asyncio.Queue[LogChunk | None]
) -> None:
    try:
        async for chunk in runtime.logs(request):
            await ahead.put(chunk)
    finally:
        await ahead.put(None)


async def _joined(
    request_id: str, ahead: asyncio.Queue[LogChunk | None]
) -> AsyncIterator[LogsChunk]:
    """What has come so far, joined into messages of one stream each and of bounded length."""
    held: LogChunk | None = await ahead.get()
    while held is not None:
        content, stream = held.content, held.stream
        following: LogChunk | None = held
        while len(content) < LOG_CHUNK_BYTES_MAX and not ahead.empty():
            following = ahead.get_nowait()
            if following is None or following.stream != stream:
                break
            content += following.content
            following = held
        for start in range(0, len(content), LOG_CHUNK_BYTES_MAX):
            part = content[start : start + LOG_CHUNK_BYTES_MAX]
            yield LogsChunk(request_id=request_id, stream=stream, data=part)
        held = await ahead.get() if following is held else following
