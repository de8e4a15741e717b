"""Push and pull of a large layer, beside Debian's docker-registry, in turns.

The client costs next to nothing: uploads leave by sendfile from the page cache, downloads are dropped
in the kernel. `docker` is the shape in which docker pushes: one PATCH in chunks, then PUT; `whole` is
one PUT with the layer as its body.
"""

import base64
import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stage import engine, moorage, record, seconds_until, spread, table
from tests.clients.processes import Process, free_port

MIB = 1 << 20
LAYER_BYTES = 256 * MIB
CHUNK_BYTES = 32 * 1024
RECEIVE_BYTES = 4 * MIB
PEER = "docker-registry"


@dataclass
class Registry:
    """One registry: where it listens, how to log in, and in which repository to push."""

    port: int
    repository: str
    login: str = ""

    def _open(self, method: str, target: str, *headers: str) -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self.port))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *headers]
        if self.login:
            head.append(f"Authorization: Basic {self.login}")
        line.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        return line

    def request(
        self, method: str, target: str, *headers: str, file: Path | None = None
    ) -> dict[str, str]:
        """One request, its body sent out of a file; the answer's headers. Fails on an error."""
        length = (
            ()
            if file is not None and "Transfer-Encoding: chunked" in headers
            else (f"Content-Length: {file.stat().st_size if file else 0}",)
        )
        with self._open(method, target, *headers, *length) as line:
            if file is not None:
                with file.open("rb") as source:
                    line.sendfile(source)
            return _head(line)[0]

    def push_docker(self, layer: "Layer") -> None:
        """POST, PATCH in chunks, PUT."""
        path = self._upload()
        kind = ("Content-Type: application/octet-stream", "Transfer-Encoding: chunked")
        told = self.request("PATCH", path, *kind, file=layer.chunked)
        self.request("PUT", _with_digest(_path(told["location"]), layer.digest))

    def push_whole(self, layer: "Layer") -> None:
        """POST, PUT with the whole layer."""
        path = _with_digest(self._upload(), layer.digest)
        self.request("PUT", path, "Content-Type: application/octet-stream", file=layer.plain)

    def pull(self, layer: "Layer") -> None:
        """GET; the bytes are dropped in the kernel."""
        target = f"/v2/{self.repository}/blobs/{layer.digest}"
        with self._open("GET", target) as line:
            headers, rest = _head(line)
            left = int(headers["content-length"]) - len(rest)
            room = bytearray(RECEIVE_BYTES)
            while left:
                got = line.recv_into(room, min(left, RECEIVE_BYTES), socket.MSG_TRUNC)
                assert got, "the connection ended before the layer"
                left -= got

    def _upload(self) -> str:
        return _path(self.request("POST", f"/v2/{self.repository}/blobs/uploads/")["location"])


class Layer:
    """Random bytes in a file, and the same in HTTP's chunks; each `renew` makes another layer."""

    def __init__(self, folder: Path) -> None:
        """Make the bytes."""
        self.plain, self.chunked = folder / "plain", folder / "chunked"
        self._octets = bytearray(os.urandom(LAYER_BYTES))
        self._number = 0
        self.digest = ""
        self.renew()

    def renew(self) -> None:
        """Change the layer, so that no registry has it."""
        self._number += 1
        self._octets[:8] = self._number.to_bytes(8, "big")
        self.digest = "sha256:" + hashlib.sha256(self._octets).hexdigest()
        self.plain.write_bytes(self._octets)
        with self.chunked.open("wb") as file:
            for start in range(0, LAYER_BYTES, CHUNK_BYTES):
                file.write(f"{CHUNK_BYTES:x}\r\n".encode())
                file.write(self._octets[start : start + CHUNK_BYTES])
                file.write(b"\r\n")
            file.write(b"0\r\n\r\n")


def measure(rounds: int) -> None:
    """Run the benchmark and print its figures."""
    speeds: dict[str, list[float]] = defaultdict(list)
    with _registries() as found, tempfile.TemporaryDirectory() as folder:
        layer = Layer(Path(folder))
        for _ in range(rounds):
            for load in ("push_docker", "push_whole"):
                layer.renew()
                for name, registry in found.items():
                    speeds[f"{name} {load}"].append(_speed(registry, load, layer))
            for name, registry in found.items():
                _speed(registry, "pull", layer)  # the page cache of both is warm
                speeds[f"{name} pull"].append(_speed(registry, "pull", layer))
    rows = []
    figures: dict[str, object] = {"rounds": rounds, "layer_mib": LAYER_BYTES // MIB}
    for load in ("push_docker", "push_whole", "pull"):
        ours, theirs = speeds[f"moorage {load}"], speeds[f"{PEER} {load}"]
        ratio = _middle(ours) / _middle(theirs)
        rows.append((load, spread(ours, 0), spread(theirs, 0), f"{ratio:.2f}", ">= 1.0"))
        figures |= {f"moorage_{load}_mib_s": _middle(ours), f"peer_{load}_mib_s": _middle(theirs)}
    columns = ("MiB/s, median [least..most]", "Moorage", PEER, "ratio", "target")
    table(f"A layer of {LAYER_BYTES // MIB} MiB, in turns", columns, rows)
    record("registry", figures)


def _middle(values: list[float]) -> float:
    return round(sorted(values)[len(values) // 2], 1)


def _speed(registry: Registry, load: str, layer: Layer) -> float:
    os.sync()
    began = time.perf_counter()
    getattr(registry, load)(layer)
    return LAYER_BYTES / MIB / (time.perf_counter() - began)


@contextlib.contextmanager
def _registries() -> Iterator[dict[str, Registry]]:
    with engine() as own, moorage(own, 0) as place, _peer() as peer:
        place.repository("bench")
        login = base64.b64encode(f"AWS:{place.password()}".encode()).decode()
        yield {"moorage": Registry(place.server.port, "bench", login), PEER: peer}


@contextlib.contextmanager
def _peer() -> Iterator[Registry]:
    """Debian's docker-registry, with its data in a folder of its own beside ours."""
    assert shutil.which(PEER), f"{PEER} is not installed: apt-get install {PEER}"
    with tempfile.TemporaryDirectory(prefix="moorage-bench-peer-") as folder:
        port = free_port()
        config = Path(folder) / "config.yml"
        config.write_text(
            "version: 0.1\nlog: {level: error}\n"
            f"storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}\n"
            f"http: {{addr: '127.0.0.1:{port}', secret: bench}}\n"
        )
        process = Process(PEER, Path(folder) / "log")
        process.begin([PEER, "serve", str(config)])
        try:
            seconds_until(lambda: _listens(port), time.perf_counter())
            yield Registry(port, "bench")
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _head(line: socket.socket) -> tuple[dict[str, str], bytes]:
    got = b""
    while b"\r\n\r\n" not in got:
        more = line.recv(65536)
        assert more, f"the connection ended in the headers: {got!r}"
        got += more
        if got.startswith(b"HTTP/1.1 100"):
            got = got.partition(b"\r\n\r\n")[2]
    head, _, rest = got.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    assert lines[0].split()[1] in {"200", "201", "202"}, (lines[0], rest[:300])
    pairs = (text.partition(":") for text in lines[1:])
    return {name.lower(): value.strip() for name, _, value in pairs}, rest


def _path(location: str) -> str:
    return "/" + location.split("/", 3)[3] if location.startswith("http") else location


def _with_digest(path: str, digest: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}digest={digest}"
