"""A Docker Engine of the tests' own: its data, its socket, its bridge; the user's is never touched.

`from tests.engine import engine, engine_socket` in a conftest gives both fixtures; however many
conftests do so, one engine runs in a session. It needs root and Debian's docker.io, and writes no
firewall rules (published ports are served by Docker's userland proxy, on loopback too).
"""

import contextlib
import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BRIDGES_MAX = 64
START_SECONDS = 40
STOP_SECONDS = 30
BUSYBOX = Path("/bin/busybox")
APPLETS = [
    "sh",
    "ash",
    "sleep",
    "echo",
    "cat",
    "true",
    "false",
    "kill",
    "env",
    "id",
    "ls",
    "mkdir",
    "mount",
    "nc",
    "ps",
    "rm",
    "seq",
    "sync",
    "test",
    "tail",
    "head",
    "touch",
    "trap",
    "wget",
    "httpd",
    "yes",
    "dd",
    "hostname",
    "stty",
    "tr",
]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("engine", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(self._path)


class Engine:
    """A running dockerd and the few things that tests ask of it directly."""

    def __init__(self, *arguments: str) -> None:
        """Arguments are dockerd's own, beside those that keep it apart from other engines."""
        self.arguments = arguments
        self.home = Path(tempfile.mkdtemp(prefix="moorage-engine-"))
        self.socket = str(self.home / "docker.sock")
        self.bridge, self.subnet = _bridge()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start dockerd and wait until it answers; the data of an earlier start is kept."""
        # The arguments keep it apart from any other engine, also where a system-wide containerd
        # runs, whose default namespace another engine may own.
        command = [
            *("dockerd", "--host", f"unix://{self.socket}", "--bridge", self.bridge),
            *("--data-root", str(self.home / "data"), "--exec-root", str(self.home / "exec")),
            *("--pidfile", str(self.home / "pid"), "--iptables=false", "--ip6tables=false"),
            *("--containerd-namespace", self.bridge),
            *("--containerd-plugins-namespace", f"{self.bridge}-plugins"),
            *self.arguments,
        ]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.home, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                tail = (self.home / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"dockerd did not start:\n{tail}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End dockerd; its containers end with it."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        self.process = None

    def freeze(self) -> None:
        """Stop dockerd's threads, as a hanging engine does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL; its containerd dies with it, its containers live on until it is back."""
        assert self.process is not None
        containerd = Path(f"/proc/{(self.home / 'exec/containerd/containerd.pid').read_text()}")
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        self.process = None
        # A dockerd that finds the number of the old containerd in use, if only by a zombie, would
        # wait for that one.
        deadline = time.monotonic() + STOP_SECONDS
        while containerd.exists() and time.monotonic() < deadline:
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether dockerd serves its socket."""
        try:
            return self.call("GET", "/_ping")[0] == 200
        except OSError:
            return False

    def call(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/x-tar"
    ) -> tuple[int, bytes]:
        """One call of the engine's own interface; `kind` is the body's."""
        connection = _Connection(self.socket)
        try:
            headers = {"Content-Type": kind if body else "application/json"}
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def busybox(self, name: str = "moorage-test/busybox:1", **files: str) -> str:
        """Make the image `name` from the static busybox and `files` (path: text); its id."""
        repository, _, tag = name.rpartition(":")
        path = f"/images/create?fromSrc=-&repo={repository}&tag={tag}"
        status, answer = self.call("POST", path, busybox_layer(files))
        last = json.loads(answer.strip().splitlines()[-1])
        assert status == 200, answer
        assert "error" not in last, answer
        return json.loads(self.call("GET", f"/images/{name}/json")[1])["Id"]

    def clean(self) -> None:
        """Remove all containers and volumes."""
        for row in json.loads(self.call("GET", "/containers/json?all=1")[1]):
            self.call("DELETE", f"/containers/{row['Id']}?force=1&v=1")
        for row in json.loads(self.call("GET", "/volumes")[1])["Volumes"] or ():
            self.call("DELETE", f"/volumes/{row['Name']}?force=1")

    def purge(self) -> None:
        """End everything and leave nothing behind."""
        with contextlib.suppress(OSError, RuntimeError):
            if self.process is not None:
                self.thaw()
                self.clean()
        self.stop()
        self._end_leftovers()
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted(mounts, reverse=True):
            if mount.startswith(f"{self.home}/"):
                subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.home, ignore_errors=True)
        subprocess.run(["ip", "link", "delete", self.bridge], check=False)

    def _end_leftovers(self) -> None:
        """Kill the shims of an engine that was itself killed: they name its daemon's folder."""
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_bytes().split(b"\0")
                ours = any(part.startswith(f"{self.home}/exec/".encode()) for part in command)
                if ours and b"containerd" in command[0]:
                    os.kill(int(process.name), signal.SIGKILL)


def busybox_layer(files: dict[str, str]) -> bytes:
    """A tar of a root file system: busybox, links for its commands, and `files`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("bin", "tmp", "etc", "dev", "proc", "sys"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        tar.add(BUSYBOX.resolve(), "bin/busybox")
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
        users = "root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"
        for path, text in {"etc/passwd": users, **files}.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(text.encode()), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _bridge() -> tuple[str, str]:
    """A new bridge with a private subnet: making the link is what reserves its number."""
    for number in range(BRIDGES_MAX):
        name, subnet = f"moor{number}", f"10.213.{number}"
        made = subprocess.run(
            ["ip", "link", "add", name, "type", "bridge"], capture_output=True, check=False
        )
        if made.returncode:
            continue
        # A bridge takes the least address of its ports unless one was set; each container that comes
        # or goes would change it, and packets of the others would be lost until they notice.
        address = f"02:42:0a:d5:{number:02x}:01"
        subprocess.run(["ip", "link", "set", name, "address", address], check=True)
        subprocess.run(["ip", "address", "add", f"{subnet}.1/24", "dev", name], check=True)
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        return name, subnet
    raise RuntimeError("no bridge is free; are we root?")


_running: list[Engine] = []


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The session's engine, with the image `moorage-test/busybox:1`."""
    if _running:  # another conftest's copy of this fixture has it and will end it
        yield _running[0]
        return
    assert os.geteuid() == 0, "tests that bring their own engine need root"
    own = Engine()
    try:
        own.start()
        own.busybox()
        _running.append(own)
        yield own
    finally:
        _running.clear()
        own.purge()


@pytest.fixture(scope="session")
def engine_socket(engine: Engine) -> str:
    """The path of the session's engine's socket."""
    return engine.socket
