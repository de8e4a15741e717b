"""A uvicorn server with our connection class on a free loopback port, inside the test's own loop."""

import asyncio
import contextlib
import socket

import uvicorn

from moorage.gateway.connection import Connection
from moorage.gateway.upgraded import Upgraded


@contextlib.asynccontextmanager
async def listening(application, connection=Connection):
    """Serve `application`; yields the port."""
    config = uvicorn.Config(
        application, http=connection, ws=Upgraded, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext
    plug = socket.socket()
    plug.bind(("127.0.0.1", 0))
    plug.listen()
    task = asyncio.create_task(server.serve(sockets=[plug]))
    try:
        yield plug.getsockname()[1]
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 10)
        plug.close()


async def ask(port, text, *, finish=True):
    """Send raw bytes, and read the answer to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(text)
        await writer.drain()
        if finish:
            return await asyncio.wait_for(reader.read(), 20)
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
