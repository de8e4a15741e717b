"""Backups for the operator: a signed POST that streams how far the backup has come.

`POST /moorage/backup?path=/backups/moorage&keys=1`, signed as the service `moorage`. The path is
one of the server's machine. Each line of the answer is a JSON object (`Progress`): the last has
the manifest, or a message that says what failed. When who asked goes away the backup ends; the
next one into the same folder goes on from there.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from moorage.blob.store import BlobStore
from moorage.ecr.distribution.route import Distribution
from moorage.gateway.aws import OWN_SERVICE, Door
from moorage.gateway.backup import Backup, Manifest, Progress, prepare_target
from moorage.gateway.exchange import Receive, Send, send_response
from moorage.ground.fault import AccessDenied, Fault, Unavailable, Validation
from moorage.ground.principal import Principal
from moorage.ground.record import Record
from moorage.wire import json11
from moorage.wire.request import Request

QUERY_PARAMETERS_MAX = 8
LINES_MAX = 64
_log = logging.getLogger("moorage.backup")


class Wanted(Record):
    """What a caller asks for."""

    path: str
    keys: bool


class BackupDoor:
    """Where the operator's requests for backups come in; one backup at a time."""

    def __init__(
        self, aws: Door, data: Path, blobs: BlobStore, distribution: Distribution, engine: str
    ) -> None:
        """Take the door that verifies callers, and what is backed up, kept in `engine`."""
        self._engine = engine
        self._aws = aws
        self._data = data
        self._blobs = blobs
        self._distribution = distribution
        self._busy = False

    async def answer(self, request: Request, receive: Receive, send: Send) -> None:
        """Make a backup, and stream its progress until its end."""
        request_id = self._aws.new_request_id()
        try:
            principal, _ = await self._aws.verified(request, OWN_SERVICE)
            wanted = _wanted(request, principal)
            if self._busy:
                raise Unavailable("A backup is being made already. Wait for its end.")
            self._busy = True
        except Fault as fault:
            await send_response(send, json11.render_fault(fault, request_id))
            return
        try:
            target = await asyncio.to_thread(prepare_target, wanted.path, self._data)
            await self._stream(wanted, target, receive, send)
        except Fault as fault:
            await send_response(send, json11.render_fault(fault, request_id))
        finally:
            self._busy = False

    async def _stream(self, wanted: Wanted, target: Path, receive: Receive, send: Send) -> None:
        ground = self._aws.ground
        backup = Backup(self._data, ground.database, self._blobs, ground.clock, ground.chance)
        lines: asyncio.Queue[Progress] = asyncio.Queue(LINES_MAX)
        loop = asyncio.get_running_loop()
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        leaving = asyncio.create_task(_left(receive, backup))

        def tell(progress: Progress) -> None:
            loop.call_soon_threadsafe(_offer, lines, progress)

        try:
            with ThreadPoolExecutor(1, thread_name_prefix="backup") as thread:
                async with self._distribution.keeping_blobs():
                    work = loop.run_in_executor(
                        thread,
                        lambda: backup.run(target, tell, engine=self._engine, keys=wanted.keys),
                    )
                    try:
                        await _pass_on(lines, work, send)
                    finally:
                        backup.stopping.set()
                        await asyncio.wait({work})
                    last = _ending(work, target)
            await send({"type": "http.response.body", "body": _line(last), "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()


def _wanted(request: Request, principal: Principal) -> Wanted:
    if request.method != "POST":
        raise Validation("A backup is asked for by POST.")
    if principal.kind != "operator":
        raise AccessDenied("Only the operator's key makes backups.")
    try:
        members = dict(parse_qsl(request.query, max_num_fields=QUERY_PARAMETERS_MAX))
    except ValueError as error:
        raise Validation("The query has too many parameters.") from error
    path = members.get("path", "")
    if not path or "\0" in path:
        raise Validation("path is needed: a folder on the server's machine.")
    return Wanted(path=path, keys=members.get("keys", "1") == "1")


async def _left(receive: Receive, backup: Backup) -> None:
    """End the backup when the caller goes away."""
    while (await receive())["type"] != "http.disconnect":
        pass
    backup.stopping.set()


async def _pass_on(
    lines: "asyncio.Queue[Progress]", work: "asyncio.Future[Manifest]", send: Send
) -> None:
    """Send what the backup says until it has ended."""
    while not work.done() or not lines.empty():
        said = asyncio.ensure_future(lines.get())
        waits: set[asyncio.Future[Any]] = {said, work}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if said.done():
            body = _line(said.result())
            await send({"type": "http.response.body", "body": body, "more_body": True})
        else:
            said.cancel()
            return


def _ending(work: "asyncio.Future[Manifest]", target: Path) -> Progress:
    error = work.exception()
    if error is None:
        _log.info("a backup was made", extra={"path": str(target)})
        return Progress(phase="done", manifest=work.result())
    if isinstance(error, Fault):
        _log.warning("a backup to %s failed: %s", target, error.message)
        return Progress(phase="failed", message=error.message)
    _log.error("a backup to %s failed by a fault of ours", target, exc_info=error)
    return Progress(phase="failed", message="Internal error. The server's log says more.")


def _offer(lines: "asyncio.Queue[Progress]", progress: Progress) -> None:
    """Queue a line; where its reader is slow, the oldest is left out."""
    if lines.full():
        lines.get_nowait()
    lines.put_nowait(progress)


def _line(progress: Progress) -> bytes:
    return msgspec.json.encode(progress) + b"\n"
