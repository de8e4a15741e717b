"""The engine's `certs.d`: whom `docker login` and `docker push` believe on this host.

Hosts pull through the agent's own proxy and need none of it; people who work on the host do. Docker
Engine reads `/etc/docker/certs.d/HOST:PORT/ca.crt` at each connection, without a restart. A file of
ours says so in its first line; any other is left as it is.
"""

import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path

from moorage.agent import journal
from moorage.agent.options import DOCKER_SOCKET, AgentOptions
from moorage.agent.trust import Trust
from moorage.ground.record import Record

ETC_DOCKER = Path("/etc/docker")
FILE = "ca.crt"
MARK = "# Written by moorage agent, and again whenever the server's authority changes.\n"
HTTPS_PORT = ":443"
log = logging.getLogger(journal.LOGGER)
# A name becomes a folder: nothing else may be in it. Names come from the server.
_NAME = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9.\-:\]]{0,250}:[0-9]{1,5}")


class Outcome(Record):
    """What was done; sentences for the log."""

    written: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def folder_for(options: AgentOptions, etc: Path = ETC_DOCKER) -> Path | None:
    """Where to write, or None: by the options, else the default engine's folder if that is ours."""
    if options.no_certs_d:
        return None
    if options.certs_d is not None:
        return options.certs_d
    is_default = os.path.realpath(options.docker_socket) == os.path.realpath(DOCKER_SOCKET)
    place = etc if etc.exists() else etc.parent
    return etc / "certs.d" if is_default and os.access(place, os.W_OK | os.X_OK) else None


def write(folder: Path, names: Iterable[str], bundle: str) -> Outcome:
    """Have `bundle` (PEM) believed for each of `names` (`HOST:PORT`)."""
    written: list[str] = []
    left: list[str] = []
    for name in sorted(set(_folders(names))):
        path = folder / name / FILE
        try:
            if _write(path, MARK + bundle):
                written.append(f"{path} is written: docker login {name} works on this host")
        except _Foreign:
            left.append(
                f"{path} was not written by Moorage and is left as it is; if docker login {name} "
                "fails, remove it and start the agent again"
            )
        except OSError as error:
            left.append(f"{path}: {error.strerror}; docker login {name} may fail on this host")
    return Outcome(written=tuple(written), left=tuple(left))


class _Foreign(Exception):  # noqa: N818 - never leaves this file
    """The file is somebody else's."""


def _folders(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        if _NAME.fullmatch(name):
            yield name
            if name.endswith(HTTPS_PORT):
                yield name.removesuffix(HTTPS_PORT)


def _write(path: Path, content: str) -> bool:
    """False where it says so already; raises _Foreign and OSError."""
    try:
        there = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        there = None
    if there is not None:
        if there == content or there == content.removeprefix(MARK):
            return False
        if not there.startswith(MARK):
            raise _Foreign
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    beside = path.with_name(f"{FILE}.{os.getpid()}.new")
    beside.write_text(content, "ascii")
    beside.replace(path)
    return True


class Logins:
    """Keeps the engine's files in step with what this host believes of its server."""

    def __init__(self, folder: Path | None, trust: Trust, names: Iterable[str]) -> None:
        """Write to `folder`, if there is one, for `names`, again at each change of `trust`."""
        self._folder = folder
        self._trust = trust
        self._names = frozenset(names)
        self._said: frozenset[str] = frozenset()
        trust.listen(self.write)

    def add(self, names: Iterable[str]) -> None:
        """The server has these names too."""
        known, self._names = self._names, self._names | frozenset(names)
        if known != self._names:
            self.write()

    def write(self) -> None:
        """Write what is missing or old; nothing where the server has no authority of its own."""
        if self._folder is None or not self._trust.bundle:
            return
        done = write(self._folder, self._names, self._trust.bundle)
        for sentence in done.written:
            log.info("%s", sentence)
        for sentence in sorted(set(done.left) - self._said):
            log.warning("%s", sentence)
        self._said = frozenset(done.left)
