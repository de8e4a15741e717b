"""A TCP proxy that delays, narrows and breaks what passes it: `python -m tests.lab.wire`.

It stands between an agent and the server: the host's packets to the server are redirected to it, and
its own, which bear MARK, are not. Each direction of a connection is a queue of pieces with the moment
at which each is due; order is kept, as TCP does.
"""

import argparse
import asyncio
import contextlib
import random
import socket
import struct
import time
from dataclasses import dataclass

MARK = 0x6D6F
PIECE_BYTES = 8192
QUEUED_PIECES_MAX = 64
LINGER_NONE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Weather:
    """What becomes of the bytes; seconds, bytes a second (0: no bound), seconds between resets."""

    delay: float = 0.0
    jitter: float = 0.0
    rate: float = 0.0
    reset_after: tuple[float, float] = (0.0, 0.0)

    def words(self) -> list[str]:
        """The arguments that say so."""
        least, most = self.reset_after
        return [f"--delay={self.delay}", f"--jitter={self.jitter}", f"--rate={self.rate}",
                f"--reset-least={least}", f"--reset-most={most}"]  # fmt: skip


async def carry(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, weather: Weather
) -> None:
    """Carry one direction to its end."""
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(QUEUED_PIECES_MAX)

    async def take() -> None:
        piece = b"-"
        while piece:
            piece = await source.read(PIECE_BYTES)
            late = weather.delay + random.uniform(-weather.jitter, weather.jitter)
            await pieces.put((time.monotonic() + max(0.0, late), piece))

    taking = asyncio.ensure_future(take())
    try:
        piece = b"-"
        while piece:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if weather.rate:
                await asyncio.sleep(len(piece) / weather.rate)
            target.write(piece)
            await target.drain()
        with contextlib.suppress(OSError):
            target.write_eof()
    finally:
        taking.cancel()


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection with RST."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
    writer.transport.abort()


async def serve(listen: tuple[str, int], to: tuple[str, int], weather: Weather) -> None:
    """Serve until killed."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw = socket.socket()
        raw.setblocking(False)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(raw, to)
            far_reader, far_writer = await asyncio.open_connection(sock=raw)
        except OSError:
            raw.close()
            reset(writer)
            return
        both = asyncio.gather(
            carry(reader, far_writer, weather), carry(far_reader, writer, weather)
        )
        least, most = weather.reset_after
        patience = random.uniform(least, most) if most else None
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(both, patience)
        reset(writer)
        reset(far_writer)

    server = await asyncio.start_server(connected, *listen)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="Delay, narrow and break a connection.")
    parser.add_argument("--listen", required=True, help="ADDRESS:PORT")
    parser.add_argument("--to", required=True, help="ADDRESS:PORT")
    for name in ("delay", "jitter", "rate", "reset-least", "reset-most"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    given = parser.parse_args()
    ends = [text.rpartition(":") for text in (given.listen, given.to)]
    listen, to = [(address, int(port)) for address, _, port in ends]
    resets = (given.reset_least, given.reset_most)
    asyncio.run(serve(listen, to, Weather(given.delay, given.jitter, given.rate, resets)))


if __name__ == "__main__":
    main()
