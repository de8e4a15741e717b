"""Listens, and runs what was composed until it is told to stop."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn

from moorage.gateway.asgi import Application
from moorage.gateway.compose import Server, compose
from moorage.gateway.connection import bounded
from moorage.gateway.runner import Runner
from moorage.gateway.settings import Settings
from moorage.ground.instant import hours
from moorage.kernel.perform import TOKENS_SWEPT_AT_ONCE, sweep_tokens
from moorage.sql.engine import Database

BACKLOG = 2048
PORT_MAX = 65_535
KEEP_ALIVE_SECONDS = 65
GRACEFUL_SECONDS = 10
FRAME_BYTES_MAX = 4 * 1024 * 1024
SWEEP_SECONDS = 60.0
SWEEP_ROUNDS_MAX = 100
# Layers that are written or sent at the same moment; the rest wait their turn.
STREAM_THREADS = 32
STORE_POLL_SECONDS = 1.0
_log = logging.getLogger("moorage.server")


class ListenRefused(Exception):  # noqa: N818 - shown to the operator as it is
    """The address cannot be listened on; the message says why."""


def is_loopback(address: str) -> bool:
    """Whether a listening address stays on this machine."""
    return address in {"localhost", "::1"} or address.startswith("127.")


def listen(settings: Settings) -> socket.socket:
    """The listening socket; raises ListenRefused, and OSError where the port is taken."""
    address, _, port = settings.listen.rpartition(":")
    address = address.strip("[]")
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= PORT_MAX):
        raise ListenRefused(
            f"{settings.listen} is no ADDRESS:PORT with a port from 1 to {PORT_MAX}."
        )
    if not is_loopback(address) and not settings.insecure:
        raise ListenRefused(
            f"{settings.listen} can be reached from other machines, and this version has no "
            "certificates yet: keys and images would cross the network in the clear. Listen on "
            "127.0.0.1, or say --insecure if the network is yours alone."
        )
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, int(port)))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    listening.set_inheritable(False)
    return listening


def run(settings: Settings, composed: Callable[[Settings], Server] = compose) -> int:
    """Serve what `composed` builds until SIGTERM or SIGINT; answers the exit code."""
    listening = listen(settings)
    server = composed(settings)
    # What is there now stays until the end: the collector need not walk it again and again (pauses
    # of 60 ms, seen by every request under way).
    gc.collect()
    gc.freeze()
    address_file = Path(settings.data) / "run" / "address"
    address_file.write_text(f"http://{settings.listen}\n", "ascii")
    config = _config(server.application, settings)
    try:
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            return runner.run(_serve(server, config, listening, settings))
    finally:
        server.ground.database.close()
        listening.close()


def _config(application: Application, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=bounded(settings.header_seconds),
        ws="websockets-sansio",
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
        ws_max_size=FRAME_BYTES_MAX,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        backlog=BACKLOG,
    )


async def _serve(
    server: Server, config: uvicorn.Config, listening: socket.socket, settings: Settings
) -> int:
    ground = server.ground
    controllers = Runner(ground.database, ground.clock, ground.site, server.controllers)
    ground.database.watch(controllers.changed)
    ground.database.watch(server.agents.changed)
    door = _Quiet(config)
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
    ended = asyncio.create_task(_first_end(parts, door))
    try:
        await door.serve(sockets=[listening])
    finally:
        ended.cancel()
        await server.agents.close()
        controllers.stop()
        for name in ("sweep", "watch"):
            parts[name].cancel()
        await asyncio.gather(ended, *parts.values(), return_exceptions=True)
    return 1 if ended.done() and not ended.cancelled() else 0


async def _first_end(parts: Mapping[str, "asyncio.Task[None]"], door: uvicorn.Server) -> None:
    """End the process when a part of it has ended: a server without its controllers is none."""
    done, _ = await asyncio.wait(parts.values(), return_when=asyncio.FIRST_COMPLETED)
    for name, part in parts.items():
        if part in done:
            error = part.exception() if not part.cancelled() else None
            _log.critical("%s has ended, and the server ends with it", name, exc_info=error)
    door.should_exit = True


class _Quiet(uvicorn.Server):
    """uvicorn's server without its signal handlers: ours are set already."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield


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
