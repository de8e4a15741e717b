"""A listener on loopback that makes a dry run of every write that a command sends to it.

The command's own signature goes on to the server as it came, with the header X-Moorage-Dry-Run
beside it, so that the server judges the very caller and request; what it would do is kept.
"""

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from aiohttp import web

from moorage.cli.place import Place
from moorage.ground.record import Record
from moorage.shapes.moorage.dry_run import DryRun

HEADER = "X-Moorage-Dry-Run"
BODY_BYTES_MAX = 4 * 1024 * 1024
CALL_SECONDS_MAX = 120.0
START_SECONDS_MAX = 10.0
CALLS_MAX = 10_000
# Of one connection alone; the length is the client's own to write.
_HOPS = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "transfer-encoding", "upgrade"}
)
_ELSEWHERE = (
    "moorage plan passes on signed calls of the AWS API alone. Nothing of this request was done."
)


class Heard(Record):
    """One call of the command: its operation, the answer's status, and the plan of a write."""

    operation: str
    status: int
    plan: DryRun | None = None


class _Answer(Record, rename="camel"):
    """Of the answer to a write that which is ours."""

    dry_run: DryRun | None = None


class _Health(Record):
    """Of /healthz that which matters here."""

    abilities: tuple[str, ...] = ()


class Loopback:
    """The listener, in a thread of its own for as long as it is entered.

    `abilities` are what the server says that it can, as /healthz tells; none where it is silent.
    """

    def __init__(self, place: Place) -> None:
        """Take the server that the calls are for."""
        self._place = place
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self.heard: list[Heard] = []
        self.abilities: tuple[str, ...] = ()
        self.endpoint = ""

    def __enter__(self) -> Self:
        """Listen on a free port of 127.0.0.1."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(START_SECONDS_MAX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Listen no more."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(START_SECONDS_MAX)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS_MAX)
        self._loop.close()

    async def _open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS_MAX)
        self._session = aiohttp.ClientSession(
            connector=self._place.connector(), timeout=timeout, auto_decompress=False
        )
        self.abilities = await self._asked(self._session)
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.endpoint = f"http://{host}:{port}"

    async def _asked(self, session: aiohttp.ClientSession) -> tuple[str, ...]:
        try:
            async with session.get(f"{self._place.endpoint}/healthz") as answer:
                return msgspec.json.decode(await answer.read(), type=_Health).abilities
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError):
            return ()

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _serve(self, request: web.Request) -> web.Response:
        operation = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        signed = "Authorization" in request.headers and request.path == "/"
        if not signed or HEADER in request.headers or len(self.heard) >= CALLS_MAX:
            return web.Response(status=501, text=_ELSEWHERE)
        assert self._session is not None, "it listens only while it is open"
        body = await request.read()
        passed = [(n, v) for n, v in request.headers.items() if n.lower() not in _HOPS]
        try:
            async with self._session.request(
                request.method,
                f"{self._place.endpoint}/",
                headers=[*passed, (HEADER, "true")],
                data=body,
            ) as answer:
                told = await answer.read()
                self.heard.append(_heard(operation, answer.status, answer.headers, told))
                kept = [(n, v) for n, v in answer.headers.items() if n.lower() not in _HOPS]
                return web.Response(status=answer.status, headers=kept, body=told)
        except aiohttp.ClientError as error:
            return web.Response(status=502, text=f"The server could not be reached: {error}")


def _heard(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Heard:
    if HEADER not in headers or status != 200:  # noqa: PLR2004 - OK
        return Heard(operation=operation, status=status)
    return Heard(
        operation=operation, status=status, plan=msgspec.json.decode(body, type=_Answer).dry_run
    )
