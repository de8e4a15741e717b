"""The processes under test: a server and hosts, each ended by its own pid."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
MOORAGE = (sys.executable, "-m", "moorage.cli.main")
START_SECONDS_MAX = 40.0
STOP_SECONDS_MAX = 30.0
POLL_SECONDS = 0.03
LOG_CHARACTERS_SHOWN = 3000
COMMAND_SECONDS_MAX = 60.0

Found = TypeVar("Found")


class Late(AssertionError):  # noqa: N818 - a word of the tests' own
    """Something did not come about in its time; says what, and what there was instead."""


def until(
    look: Callable[[], Found], seconds: float, what: str, seen: Callable[[], object] | None = None
) -> Found:
    """The first true answer of `look`; raises Late with `what` (and what was `seen`) after a while."""
    deadline = time.monotonic() + seconds
    found = look()
    while not found and time.monotonic() <= deadline:
        time.sleep(POLL_SECONDS)
        found = look()
    if not found:
        last = f"; instead: {seen()}" if seen else ""
        raise Late(f"not within {seconds:g} s: {what}{last}")
    return found


def let_pass(seconds: float) -> None:
    """Let so much time pass: a test's table says at which moment something is to happen."""
    threading.Event().wait(seconds)


def tell(line: str) -> None:
    """Show a figure to whoever runs the tests with -s."""
    sys.stdout.write(f"\n{line}\n")


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without anything of AWS's or Moorage's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOORAGE_"))}
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", "DOCKER_BUILDKIT": "0", **more}


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; its output is part of the failure where it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=False, **options
    )
    told = f"{' '.join(command)}\nexit code {done.returncode}\n{done.stdout}{done.stderr}"
    assert done.returncode == 0, told
    return done


class Process:
    """One process of ours: its command, its log, its life."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its pid; only while it runs."""
        assert self.child is not None, f"{self.name} does not run"
        return self.child.pid

    def begin(self, command: list[str]) -> None:
        """Start the process with its output in its log."""
        assert self.child is None, f"{self.name} runs already"
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=ROOT,
                env=clean_environment(),
            )  # fmt: skip

    def kill(self) -> None:
        """SIGKILL, as power failing does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        return self._end(signal.SIGTERM)

    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self.child is not None and self.child.poll() is not None

    def tail(self) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        return self.log.read_text(errors="replace")[-LOG_CHARACTERS_SHOWN:]

    def _end(self, number: int) -> int:
        if self.child is None:
            return 0
        child, self.child = self.child, None
        if child.poll() is None:
            child.send_signal(number)
        try:
            return child.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(STOP_SECONDS_MAX)
            raise


class Server(Process):
    """`moorage serve` over a data folder of its own."""

    def __init__(self, data: Path, *flags: str) -> None:
        super().__init__("server", data.parent / f"{data.name}.server.log")
        self.data = data
        self.port = free_port()
        self.flags = flags
        self.url = f"http://127.0.0.1:{self.port}"
        self.address = f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it is healthy."""
        settle = () if "--settle-seconds" in self.flags else ("--settle-seconds", "1")
        listen = ("--listen", self.address)
        self.begin([*MOORAGE, "serve", "--data", str(self.data), *listen, *settle, *self.flags])
        until(self._ready, START_SECONDS_MAX, "the server is healthy", self.tail)

    def _ready(self) -> bool:
        assert not self.ended(), f"the server ended:\n{self.tail()}"
        return self.healthy()

    def healthy(self) -> bool:
        """Whether /healthz answers 200."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def key(self, name: str = "root") -> dict[str, str]:
        """An access key out of the data folder."""
        found: dict[str, str] = json.loads((self.data / "keys" / f"{name}.json").read_text())
        return found

    def command(self, *words: str) -> str:
        """What a command of ours prints."""
        command = [*MOORAGE, *words, "--data", str(self.data)]
        return run(command, cwd=ROOT, env=clean_environment()).stdout

    def token(self, cluster: str = "default", uses: int = 1) -> str:
        """A join token."""
        return self.command("host", "token", "--cluster", cluster, "--uses", str(uses)).strip()


class Host(Process):
    """`moorage agent` for one share of the tests' engine, with a loopback address of its own."""

    def __init__(self, server: Server, engine_socket: str, number: int, *flags: str) -> None:
        name = f"host-{number}"
        super().__init__(name, server.data.parent / f"{server.data.name}.{name}.log")
        self.server = server
        self.docker_socket = engine_socket
        self.publish_address = f"127.0.0.{number + 1}"
        self.folder = server.data.parent / f"{server.data.name}-{name}"
        self.flags = flags
        # Hosts of other servers may have lived on this engine under this name.
        self.is_new = True

    def start(self, token: str = "") -> None:
        """Start it; the token is needed the first time only."""
        joining = ("--token", token) if token else ()
        self.begin(
            [
                *MOORAGE,
                "agent",
                *("--endpoint", self.server.url),
                *joining,
                *("--name", self.name),
                *("--data", str(self.folder)),
                *("--docker", self.docker_socket),
                *("--publish-address", self.publish_address),
                *("--run", str(self.server.data.parent / "run")),
                *(("--new-host",) if self.is_new else ()),
                *self.flags,
            ]
        )
