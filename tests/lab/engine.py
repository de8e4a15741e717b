"""The Docker Engine of one machine of a lab, as it came out of the box, and what it really runs.

What runs is read twice: as the engine tells it, and out of the machine's /proc, where it can be read
while the engine is stopped, hung, or gone.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import urllib.parse
from pathlib import Path
from typing import Any

from tests.clients.processes import until
from tests.engine import busybox_layer
from tests.lab.namespace import Machine
from tests.lab.process import Process, born

START_SECONDS_MAX = 40.0
CALL_SECONDS_MAX = 20.0
TAIL_CHARACTERS = 1000
LABEL = "com.amazonaws.ecs.task-arn"
_OURS = urllib.parse.quote(json.dumps({"label": [LABEL]}))
_CONTAINER = re.compile(rb"/([0-9a-f]{64})$", re.MULTILINE)
Json = dict[str, Any]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("engine", timeout=seconds)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            raise


class Engine(Process):
    """dockerd inside a machine, with its data in a folder of its own."""

    def __init__(self, machine: Machine, log: Path, data: Path, *flags: str) -> None:
        super().__init__(f"{machine.name}'s engine", log)
        self.machine = machine
        self.data = data
        self.flags = flags

    @property
    def socket(self) -> Path:
        """Its socket, as it is reached from outside the machine."""
        return self.machine.root / "run" / "docker.sock"

    def launch(self, *flags: str) -> None:
        """Start it without waiting for it."""
        command = ["dockerd", "--data-root", str(self.data), "--iptables=false"]
        self.begin([*command, "--ip6tables=false", *self.flags, *flags], self.machine.enter)

    def start(self, *flags: str) -> None:
        """Start it and wait until it answers."""
        self.launch(*flags)
        self.await_answer()

    def await_answer(self) -> None:
        """Wait until it answers; raises Late with the end of its log."""
        until(self.answers, START_SECONDS_MAX, f"{self.name} answers", self.tail)

    def tail(self) -> str:
        """The end of its log without what it tells of every start."""
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(line for line in lines if "level=info" not in line)[-TAIL_CHARACTERS:]

    def answers(self) -> bool:
        """Whether it serves its socket."""
        assert not self.ended(), f"{self.name} ended:\n{self.tail()}"
        try:
            return self.call("GET", "/_ping", seconds=2)[0] == 200
        except OSError:
            return False

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        seconds: float = CALL_SECONDS_MAX,
        kind: str = "application/x-tar",
    ) -> tuple[int, bytes]:
        """One call of its interface; `kind` is the body's."""
        connection = _Connection(self.socket, seconds)
        try:
            kind = kind if body else "application/json"
            connection.request(method, path, body=body, headers={"Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def told(self, path: str, seconds: float = CALL_SECONDS_MAX) -> Any:
        """What it answers to a GET, as JSON."""
        status, text = self.call("GET", path, seconds=seconds)
        assert status == 200, (path, status, text)
        return json.loads(text)

    def busybox(self, name: str) -> None:
        """Make an image of the static busybox, without a registry."""
        repository, _, tag = name.rpartition(":")
        path = f"/images/create?fromSrc=-&repo={repository}&tag={tag}"
        status, said = self.call("POST", path, busybox_layer({}))
        assert status == 200, said

    def tasks(self, *, ended: bool = False, seconds: float = CALL_SECONDS_MAX) -> dict[str, str]:
        """Containers of tasks as the engine tells them: id to task ARN.

        An engine whose disk was full when a container ended lists it as running from then on,
        while its own description says that it exited; the description is believed.
        """
        path = f"/containers/json?filters={_OURS}" + ("&all=1" if ended else "")
        found = {row["Id"]: row["Labels"][LABEL] for row in self.told(path, seconds)}
        doubted = set() if ended else found.keys() - self.processes().keys()
        return {one: arn for one, arn in found.items() if one not in doubted or self._runs(one)}

    def _runs(self, container: str) -> bool:
        status, text = self.call("GET", f"/containers/{container}/json")
        return status == 200 and json.loads(text)["State"]["Running"]

    def container(self, task_arn: str) -> Json:
        """The first container of a task, as the engine describes it."""
        found = [one for one, task in self.tasks(ended=True).items() if task == task_arn]
        assert found, f"{self.name} has no container of {task_arn}"
        answer: Json = self.told(f"/containers/{found[0]}/json")
        return answer

    def processes(self) -> dict[str, list[int]]:
        """What truly runs: container id to the pids (of the machine) in its cgroup."""
        found: dict[str, list[int]] = {}
        for folder in (self.machine.root / "proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                named = _CONTAINER.search((folder / "cgroup").read_bytes())
                if named and (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    found.setdefault(named[1].decode(), []).append(int(folder.name))
        return found

    def leftovers(self) -> list[str]:
        """Networks and volumes that no engine has out of the box."""
        networks = [one["Name"] for one in self.told("/networks")]
        volumes = [one["Name"] for one in self.told("/volumes")["Volumes"] or ()]
        return [*(set(networks) - {"bridge", "host", "none"}), *volumes]

    def pids(self, program: str) -> list[int]:
        """The pids, as this machine counts them, of the machine's processes of a program."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if Path(words[0].decode()).name == program and self._inside(folder):
                    found.append(int(folder.name))
        return found

    def kill_program(self, program: str) -> int:
        """SIGKILL all the machine's processes of a program, such as containerd; how many."""
        found = self.pids(program)
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(born, found)), START_SECONDS_MAX, f"{program} is gone")
        return len(found)

    def kill_container(self, container: str, number: int = signal.SIGKILL) -> None:
        """Signal all processes of a container without asking the engine."""
        words = (str(pid) for pid in self.processes().get(container, ()))
        command = [*self.machine.enter, "kill", f"-{number}", *words]
        subprocess.run(command, capture_output=True, check=False)  # some end with the first

    def _inside(self, process: Path) -> bool:
        inside = Path(f"/proc/{self.machine.pid}/ns/pid").readlink()
        return (process / "ns" / "pid").readlink() == inside
