"""Listens, and runs what was composed until it is told to stop."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn

from moorage.gateway.address import listen, local_url
from moorage.gateway.asgi import Application
from moorage.gateway.compose import Server, compose
from moorage.gateway.connection import Connection, bounded
from moorage.gateway.custodian import Custodian
from moorage.gateway.files import allow_files
from moorage.gateway.greeting import Greeter
from moorage.gateway.runner import Runner
from moorage.gateway.settings import Settings
from moorage.gateway.upgraded import Upgraded
from moorage.ground.instant import hours
from moorage.kernel.perform import TOKENS_SWEPT_AT_ONCE, sweep_tokens
from moorage.sql.engine import Database

KEEP_ALIVE_SECONDS = 65
GRACEFUL_SECONDS = 10
FAREWELL_SECONDS = 0.3
SWEEP_SECONDS = 60.0
SWEEP_ROUNDS_MAX = 100
# Objects made and not yet gone, before the collector looks at the new ones; how often until it looks
# at what survived that; and how often that until it walks everything (gc.set_threshold). With
# thousands of hosts such a walk takes a quarter of a second, in which nobody is answered, and with
# Python's own 700 it comes each second while they connect.
GARBAGE_LOOKS = (7_000, 10, 10)
# Layers that are written or sent at the same moment; the rest wait their turn.
STREAM_THREADS = 32
STORE_POLL_SECONDS = 1.0
STDIN = 0
_log = logging.getLogger("moorage.server")


def run(settings: Settings, composed: Callable[[Settings], Server] = compose) -> int:
    """Serve what `composed` builds until SIGTERM or SIGINT; answers the exit code."""
    allow_files(settings)
    listening = listen(settings)
    server = composed(settings)
    # What is there now stays until the end: the collector need not walk it again and again (pauses
    # of 60 ms, seen by every request under way).
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_LOOKS)
    address_file = Path(settings.data) / "run" / "address"
    address_file.write_text(f"{local_url(settings)}\n", "ascii")
    connection = bounded(settings.header_seconds)
    config = _config(server.application, settings, connection)
    try:
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            door = _Door(config, server, connection)
            return runner.run(_serve(server, door, listening, settings))
    finally:
        server.ground.database.close()
        listening.close()


def _config(
    application: Application, settings: Settings, connection: type[Connection]
) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=connection,
        ws=Upgraded,
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        limit_concurrency=settings.connections,
    )


async def _serve(
    server: Server, door: "_Door", listening: socket.socket, settings: Settings
) -> int:
    ground = server.ground
    controllers = Runner(ground.database, ground.clock, ground.site, server.controllers)
    ground.database.watch(controllers.changed)
    ground.database.watch(server.agents.changed)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(STREAM_THREADS, thread_name_prefix="stream"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(door, "should_exit", True))
    await server.agents.begin()
    parts = {
        "controllers": asyncio.create_task(controllers.run()),
        "sweep": asyncio.create_task(_sweep(server, settings)),
        "watch": asyncio.create_task(_watch_store(server)),
    }
    if server.foreman is not None:
        ground.database.watch(server.foreman.changed)
        parts["pools"] = asyncio.create_task(server.foreman.run())
    if server.custodian is not None:
        ground.database.watch(server.custodian.changed)
        parts["certificates"] = asyncio.create_task(server.custodian.run())
    had_terminal = os.isatty(STDIN)
    loop.add_signal_handler(
        signal.SIGHUP,
        lambda: _hung_up(door, server.custodian, lambda: had_terminal and not os.isatty(STDIN)),
    )
    ended = asyncio.create_task(_first_end(parts, door))
    try:
        await door.serve(sockets=[listening])
    finally:
        ended.cancel()
        await server.agents.close()
        controllers.stop()
        for name in parts.keys() - {"controllers"}:
            parts[name].cancel()
        await asyncio.gather(ended, *parts.values(), return_exceptions=True)
    return 1 if ended.done() and not ended.cancelled() else 0


def _hung_up(
    door: uvicorn.Server, custodian: Custodian | None, terminal_is_gone: Callable[[], bool]
) -> None:
    """SIGHUP: somebody wants the certificate read again; or the terminal was closed: stop."""
    if terminal_is_gone():
        door.should_exit = True
    elif custodian is not None:
        custodian.look_again()


async def _first_end(parts: Mapping[str, "asyncio.Task[None]"], door: uvicorn.Server) -> None:
    """End the process when a part of it has ended: a server without its controllers is none."""
    done, _ = await asyncio.wait(parts.values(), return_when=asyncio.FIRST_COMPLETED)
    for name, part in parts.items():
        if part in done:
            error = part.exception() if not part.cancelled() else None
            _log.critical("%s has ended, and the server ends with it", name, exc_info=error)
    door.should_exit = True


class _Door(uvicorn.Server):
    """uvicorn's server without its signal handlers, ours are set already, and with our greeter."""

    def __init__(
        self, config: uvicorn.Config, server: Server, connection: type[Connection]
    ) -> None:
        """Serve as configured; where the server has a custodian, over TLS."""
        super().__init__(config)
        self._custodian = server.custodian
        self._agents = server.agents
        self._connection = connection
        self._is_leaving = False

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections on the one listening socket."""
        assert sockets, "the listening socket is ours"
        await self.lifespan.startup()
        context = None if self._custodian is None else self._custodian.context
        greeter = Greeter(self._protocol, context, self._connection.header_seconds)
        greeter.begin(sockets[0])
        self.servers = [greeter]  # type: ignore[list-item]  # closed and waited for, no more
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nobody new in, say farewell to each client with its next answer, then close."""
        for server in self.servers:
            server.close()
        for listening in sockets or ():
            listening.close()
        self._is_leaving = True
        for connection in list(self.server_state.connections):
            if isinstance(connection, Connection):
                connection.leave()
        await asyncio.sleep(FAREWELL_SECONDS)
        await self._agents.close()
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        connection = self._connection(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        if self._is_leaving:  # its handshake was under way
            connection.leave()
        return connection


async def _sweep(server: Server, settings: Settings) -> None:
    """Throw away what has outlived its bound: unfinished uploads, blobs, remembered answers."""
    expiry = hours(settings.upload_expiry_hours)
    while True:
        for sweep in (server.distribution.sweep(expiry), forget_answers(server.ground.database)):
            try:
                await sweep
            except Exception:  # noqa: BLE001 - the sweep is tried again; nothing depends on it
                _log.exception("sweeping failed")
        await asyncio.sleep(SWEEP_SECONDS)


async def forget_answers(database: Database) -> None:
    """Forget the answers to client tokens that are older than a day, a bounded number at once."""
    for _ in range(SWEEP_ROUNDS_MAX):
        if await asyncio.wrap_future(database.write(sweep_tokens)) < TOKENS_SWEPT_AT_ONCE:
            return


async def _watch_store(server: Server) -> None:
    """Return when the database takes no more writes for good."""
    while server.ground.database.failure() is None:  # noqa: ASYNC110 - it fails in its own thread
        await asyncio.sleep(STORE_POLL_SECONDS)
    _log.critical("the database failed for good: %s", server.ground.database.failure())
