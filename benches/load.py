"""Sends one request again and again over several connections, in a process of its own.

`python load.py PORT CONNECTIONS SECONDS < request`: prints requests, errors and percentiles as JSON.
A signed request stays good for five minutes, so nothing is signed here: the generator costs as
little as it can, since it shares the machine with the server that is measured.
"""

import json
import selectors
import socket
import sys
import time

RECEIVE_BYTES = 1 << 18
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "


class Line:
    """One connection with one request under way."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self._got = b""

    def send(self, request: bytes) -> None:
        """Begin a request."""
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The status of the answer once it is whole."""
        self._got += self.socket.recv(RECEIVE_BYTES)
        head, end, body = self._got.partition(HEAD_END)
        if not end:
            return None
        length = int(head.lower().partition(LENGTH)[2].partition(b"\r\n")[0])
        if len(body) < length:
            return None
        status, self._got = head[9:12], body[length:]
        return status


def drive(request: bytes, port: int, connections: int, seconds: float) -> dict[str, float]:
    """Keep every connection busy for so long."""
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        line = Line(port)
        selector.register(line.socket, selectors.EVENT_READ, line)
        line.send(request)
    times: list[float] = []
    errors = 0
    began = time.perf_counter()
    end = began + seconds
    while time.perf_counter() < end:
        for key, _ in selector.select(1):
            line = key.data
            status = line.receive()
            if status is None:
                continue
            errors += status != b"200"
            times.append(time.perf_counter() - line.began)
            line.send(request)
    took = time.perf_counter() - began
    times.sort()
    return {
        "per_second": round(len(times) / took, 1),
        "errors": errors,
        "p50_ms": round(times[len(times) // 2] * 1000, 2),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 2),
    }


if __name__ == "__main__":
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(drive(sys.stdin.buffer.read(), port, connections, seconds)))
