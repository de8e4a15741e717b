"""Post-mortems: gathered from the engine, kept on disk, told until the server has them.

One file a task, FOLDER/ID.json, which is the request that tells it; a later one of the same task
takes its place. At most FILES_MAX and BYTES_MAX are kept, the newest: a host that is cut off for
days fills no disk. Reading is bounded in time, and telling hurries nobody: the report that a task
is STOPPED goes its own way.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from moorage.agent import journal
from moorage.agent.control import OWN_TARGET, ControlPlane
from moorage.agent.engine.events import PostMortemGathered
from moorage.agent.engine.instructions import GatherPostMortem
from moorage.agent.records.post_mortem import ContainerEnd, PostMortem
from moorage.agent.reports import back_off_seconds
from moorage.agent.runtime.port import ContainerRuntime, LogRequest, RuntimeFailure
from moorage.agent.tail import LINES_MAX, Line, Tail
from moorage.ground.fault import Fault
from moorage.ground.instant import maybe_epoch
from moorage.shapes.moorage.post_mortem import (
    ContainerPostMortem,
    OutputLine,
    SubmitPostMortemRequest,
    SubmitPostMortemResponse,
)

FOLDER_MODE = 0o700
FILE_MODE = 0o600
FILES_MAX = 500
BYTES_MAX = 64 * 1024 * 1024
# The server takes bodies of 1 MiB, if nobody has set less; a body that is too long is cut in half.
REQUEST_BYTES_MAX = 512 * 1024
REQUEST_BYTES_MIN = 1024
GATHERED_AT_ONCE = 2
READ_SECONDS_MAX = 5.0
REASON_LENGTH_MAX = 1024
SIGNALLED = 128
SIGNALS_MAX = 64
TOO_LONG = "RequestEntityTooLargeException"
# A server that is older knows no such call, one that has forgotten the task wants no more of it.
REFUSED_FOR_GOOD = frozenset(
    (
        "InvalidParameterException",
        "UnknownOperationException",
        "UnsupportedFeatureException",
        "ValidationException",
        "SerializationException",
    )
)
TOO_SLOW = "the container engine did not hand it over in time"
log = logging.getLogger(journal.LOGGER)

Submit = Callable[[SubmitPostMortemRequest], Awaitable[None]]


class PostMortems:
    """The post-mortems of one host."""

    def __init__(
        self, folder: Path, runtime: ContainerRuntime, cluster: str, submit: Submit
    ) -> None:
        """Keep them in `folder`; tell them by `submit`, which raises a Fault where it failed."""
        self._folder = folder
        self._runtime = runtime
        self._cluster = cluster
        self._submit = submit
        self._turn = asyncio.Semaphore(GATHERED_AT_ONCE)
        self._bell = asyncio.Event()
        self._waits = back_off_seconds()
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    def server_heard(self) -> None:
        """The server is there again: what waits is told now."""
        self._waits = back_off_seconds()
        self._bell.set()

    async def gather(self, wanted: GatherPostMortem) -> PostMortemGathered:
        """Read what there is to read, and keep all of it."""
        told = wanted.post_mortem
        async with self._turn:
            containers = [await self._container(one, lines=told.ended) for one in told.containers]
        request = SubmitPostMortemRequest(
            cluster=self._cluster,
            task=told.task,
            ended=told.ended,
            at=maybe_epoch(told.at),
            reason=_cut(told.reason),
            containers=containers,
        )
        try:
            await asyncio.to_thread(self._write, told, request)
        except OSError as error:
            log.warning("the post-mortem of %s is lost: %s", told.task, error)
        self._bell.set()
        return PostMortemGathered(task_arn=told.task, ended=told.ended, healings=told.healings)

    async def step(self) -> None:
        """Tell the oldest one; wait where there is none, or where that has failed."""
        self._bell.clear()
        oldest = next(iter(await asyncio.to_thread(self._files)), None)
        if oldest is None:
            await self._bell.wait()
        elif not await self._told(oldest):
            try:
                async with asyncio.timeout(next(self._waits)):
                    await self._bell.wait()
            except TimeoutError:
                return

    async def _told(self, path: Path) -> bool:
        """Whether this one needs no more telling."""
        content = await asyncio.to_thread(_read, path)
        try:
            request = msgspec.json.decode(content, type=SubmitPostMortemRequest)
        except (msgspec.DecodeError, UnicodeDecodeError):
            await asyncio.to_thread(_drop, path, content)
            return True
        bytes_max = REQUEST_BYTES_MAX
        while bytes_max >= REQUEST_BYTES_MIN:
            try:
                await self._submit(fitting(request, bytes_max))
            except Fault as fault:
                if fault.code == TOO_LONG:
                    bytes_max //= 2
                    continue
                if fault.code not in REFUSED_FOR_GOOD:
                    return False
                log.info("the server does not want the post-mortem of %s: %s", request.task, fault)
            break
        self._waits = back_off_seconds()
        await asyncio.to_thread(_drop, path, content)
        return True

    async def _container(self, end: ContainerEnd, *, lines: bool) -> ContainerPostMortem:
        tail, unreadable = Tail(), None
        if lines and end.runtime_id is not None:
            try:
                async with asyncio.timeout(READ_SECONDS_MAX):
                    request = LogRequest(id=end.runtime_id, tail=LINES_MAX + 1)
                    async for chunk in self._runtime.logs(request):
                        tail.take(chunk)
            except TimeoutError:
                unreadable = TOO_SLOW
            except RuntimeFailure as failure:
                unreadable = failure.reason
        return post_mortem_of(end, tail, unreadable)

    def _files(self) -> list[Path]:
        """All that is kept, oldest first."""
        return sorted(self._folder.glob("*.json"), key=lambda path: (_age(path), path.name))

    def _write(self, told: PostMortem, request: SubmitPostMortemRequest) -> None:
        name = "".join(c if c.isalnum() else "-" for c in told.task.rpartition("/")[2])
        beside = self._folder / f"{name}.new"
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        with open(file, "wb") as stream:  # noqa: PTH123 - of a descriptor
            stream.write(msgspec.json.encode(fitting(request, REQUEST_BYTES_MAX)))
        beside.replace(self._folder / f"{name}.json")
        kept, size = 0, 0
        for path in reversed(self._files()):
            kept, size = kept + 1, size + _size(path)
            if kept > FILES_MAX or size > BYTES_MAX:
                path.unlink(missing_ok=True)


def submit_by(control: ControlPlane) -> Submit:
    """How a host tells its server; raises the server's RemoteFault."""

    async def submit(request: SubmitPostMortemRequest) -> None:
        await control.client.call(
            "moorage", OWN_TARGET, "SubmitPostMortem", request, SubmitPostMortemResponse
        )

    return submit


def post_mortem_of(end: ContainerEnd, tail: Tail, unreadable: str | None) -> ContainerPostMortem:
    """The container as it is told: what the engine knew of it, and its last lines."""
    last = end.last_end
    lines = tail.lines()
    return ContainerPostMortem(
        name=end.name,
        image=end.image,
        image_digest=end.image_digest,
        runtime_id=end.runtime_id,
        started_at=maybe_epoch(end.started_at),
        finished_at=maybe_epoch(end.finished_at),
        exit_code=end.exit_code,
        signal=signal_of(end.exit_code),
        out_of_memory=end.out_of_memory or None,
        reason=_cut(end.reason),
        restarts=end.restarts,
        healings=end.healings,
        last_exit_code=None if last is None else last.exit_code,
        last_reason=None if last is None else _cut(last.reason),
        lines=[_line(line) for line in lines] or None,
        lines_left_out=tail.left_out or None,
        unreadable=_cut(unreadable),
    )


def signal_of(exit_code: int | None) -> int | None:
    """The signal that ended a process, by the engine's habit of adding 128 to its number."""
    if exit_code is None or not SIGNALLED < exit_code <= SIGNALLED + SIGNALS_MAX:
        return None
    return exit_code - SIGNALLED


def fitting(request: SubmitPostMortemRequest, bytes_max: int) -> SubmitPostMortemRequest:
    """The request, in at most so many bytes: of the longest outputs the older half goes first.

    Where even without output it is too long, it is left so.
    """
    containers = list(request.containers or ())
    sizes = [len(msgspec.json.encode(one.lines or [])) for one in containers]
    total = len(msgspec.json.encode(request))
    while total > bytes_max and any(one.lines for one in containers):
        longest = max(range(len(sizes)), key=sizes.__getitem__)
        one = containers[longest]
        rest = (one.lines or [])[(len(one.lines or []) + 1) // 2 :]
        containers[longest] = msgspec.structs.replace(one, lines=rest or None, lines_left_out=True)
        after = len(msgspec.json.encode(rest))
        total, sizes[longest] = total - sizes[longest] + after, after if rest else 0
    return msgspec.structs.replace(request, containers=containers)


def _line(line: Line) -> OutputLine:
    return OutputLine(
        stream=line.stream, at=maybe_epoch(line.at), text=line.text, cut=line.cut or None
    )


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:REASON_LENGTH_MAX]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _drop(path: Path, content: bytes) -> None:
    """Remove a file that is done with, unless a newer one of its task has taken its place."""
    if _read(path) == content:
        path.unlink(missing_ok=True)


def _age(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
