"""The container engine of this machine, as far as commands for people need to know it."""

import http.client
import json
import os
import socket
from pathlib import Path
from typing import Any

from moorage.ground.record import Record

DEFAULT_SOCKET = Path("/var/run/docker.sock")
ANSWER_SECONDS_MAX = 10.0
STOP_SECONDS_MAX = 60.0


class EngineAway(Exception):  # noqa: N818 - shown to people as it is
    """No engine answers on the socket; the message says why."""


class EngineSize(Record):
    """What the engine says of itself; memory in MiB."""

    id: str
    version: str
    cores: int
    memory: int


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("docker", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def engine_socket(given: Path | None) -> Path:
    """The engine's socket: as given, else from DOCKER_HOST, else Docker's default."""
    host = os.environ.get("DOCKER_HOST", "")
    if given is None and host.startswith("unix://"):
        return Path(host.removeprefix("unix://"))
    return given or DEFAULT_SOCKET


def ask(path: Path, method: str, target: str, seconds: float = ANSWER_SECONDS_MAX) -> Any:
    """One request to the engine, its JSON decoded (None without a body); raises EngineAway."""
    connection = _UnixConnection(path, seconds)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        body = answer.read()
    except OSError as error:
        raise EngineAway(f"no engine answers on {path}: {error.strerror or error}") from error
    finally:
        connection.close()
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise EngineAway(f"the engine answered {answer.status} to {method} {target}")
    return json.loads(body) if body.strip() else None


def size_of(path: Path) -> EngineSize:
    """The engine behind a socket; raises EngineAway."""
    told = ask(path, "GET", "/info")
    return EngineSize(
        id=told.get("ID", ""),
        version=told.get("ServerVersion", ""),
        cores=int(told.get("NCPU", 1)),
        memory=int(told.get("MemTotal", 0)) // (1024 * 1024),
    )


def containers_of(path: Path, label: str) -> list[str]:
    """The ids of all containers that carry a label, running or not; raises EngineAway."""
    filters = json.dumps({"label": [label]}, separators=(",", ":"))
    quoted = filters.replace('"', "%22").replace("{", "%7B").replace("}", "%7D")
    return [one["Id"] for one in ask(path, "GET", f"/containers/json?all=1&filters={quoted}")]


def remove_container(path: Path, container: str, *, grace_seconds: int) -> None:
    """Stop a container, with its grace, and remove it with its anonymous volumes."""
    ask(path, "POST", f"/containers/{container}/stop?t={grace_seconds}", STOP_SECONDS_MAX)
    ask(path, "DELETE", f"/containers/{container}?force=1&v=1", STOP_SECONDS_MAX)
