"""Docker Engine on this machine: whether it is there, and how it gets there where it is not.

Used by the demo. Only Debian's docker.io is installed, only as root, and only after it was said.
Where no service manager runs, dockerd is started here, in the background, and only such a dockerd
is ever stopped here.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from moorage.cli.engine import DEFAULT_SOCKET, EngineAway, EngineSize, ask, size_of
from moorage.cli.processes import wait_until
from prepare import has_command, install

Say = Callable[[str], None]

SERVICE_START_SECONDS_MAX = 20.0
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
LOG_LINES_SHOWN = 12
PID_FILE = Path("run") / "dockerd.pid"
LOG_FILE = Path("log") / "dockerd.log"
APT_LOG_FILE = Path("log") / "apt.log"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WITHOUT_FIREWALL = ("--iptables=false", "--ip6tables=false")
# What dockerd is started with, one after the other, until it stays: as it is, then without what a
# small kernel or a container may lack: firewall tables, overlay file systems.
STARTS: tuple[tuple[str, ...], ...] = (
    (),
    WITHOUT_FIREWALL,
    ("--storage-driver=vfs",),
    ("--storage-driver=vfs", *WITHOUT_FIREWALL),
)


class EngineRefused(Exception):  # noqa: N818 - shown to people as it is
    """There is no engine, and none can be had by what this user may do; says what to do."""


def ensure(place: Path, socket: Path, say: Say) -> EngineSize:
    """See to it that an engine answers on `socket`; `place` is a prepared data folder.

    Says what it does before it does it. Raises EngineRefused.
    """
    try:
        return size_of(socket)
    except EngineAway as away:
        _refuse_without_rights(socket, str(away))
    if not has_command("dockerd"):
        say("No Docker Engine here: installing Debian's docker.io with apt.")
        _install(place)
    if not _answers(socket) and Path("/run/systemd/system").is_dir():
        say("Starting docker.service.")
        subprocess.run(["systemctl", "start", "docker"], check=False, timeout=START_SECONDS_MAX)
        wait_until(lambda: _answers(socket), SERVICE_START_SECONDS_MAX)
    elif not _answers(socket):
        say(f"No service manager here: starting dockerd; its log is {place / LOG_FILE}.")
        _start(place, socket, say)
    try:
        return size_of(socket)
    except EngineAway as away:
        raise EngineRefused(f"{away}.") from away


def end_own(pid: int) -> str:
    """End a dockerd of ours (see `own_dockerd`) unless containers run on it; says what was done."""
    if ask(DEFAULT_SOCKET, "GET", "/containers/json"):
        return f"Docker Engine (pid {pid}) runs on: it has other containers"
    os.kill(pid, signal.SIGTERM)
    if not wait_until(lambda: _process_name(pid) != "dockerd", STOP_SECONDS_MAX):
        raise EngineRefused(f"dockerd (pid {pid}) does not end.")
    return "Docker Engine stopped: the demo had started it"


def own_dockerd(place: Path) -> int | None:
    """The pid of the dockerd that was started here and lives, else None."""
    try:
        pid = int((place / PID_FILE).read_text("ascii"))
    except (OSError, ValueError):
        return None
    return pid if _process_name(pid) == "dockerd" else None


def _refuse_without_rights(socket: Path, why: str) -> None:
    """Raise EngineRefused where this user cannot get an engine to answer."""
    if socket != DEFAULT_SOCKET:
        raise EngineRefused(
            f"{why}. DOCKER_HOST names it: start that engine, or unset DOCKER_HOST."
        )
    root = os.geteuid() == 0
    if not root and socket.exists() and not os.access(socket, os.R_OK | os.W_OK):
        raise EngineRefused(
            f"{socket} is closed to this user. Run this with sudo, or join the group docker: "
            "sudo usermod -aG docker $USER (and log in again)."
        )
    if not root and has_command("dockerd"):
        raise EngineRefused(
            f"{why}. Start it (sudo systemctl start docker), or run this with sudo."
        )
    if not root or not has_command("apt-get"):
        raise EngineRefused(
            f"{why}. Install Docker Engine 20.10 or newer and run this again. On Debian: "
            "apt-get install docker.io; or run this with sudo and it does that itself."
        )


def _install(place: Path) -> None:
    mounted = any(line.split()[2].startswith("cgroup") for line in _mounts())
    try:
        install(["docker.io", *(() if mounted else ("cgroupfs-mount",))], place / APT_LOG_FILE)
        if not has_command("docker"):  # newer Debian packs the command line by itself
            install(["docker-cli"], place / APT_LOG_FILE)
    except subprocess.CalledProcessError as error:
        raise EngineRefused(refusal_of_apt(place, error)) from error
    if not mounted:
        subprocess.run(["cgroupfs-mount"], check=False, timeout=START_SECONDS_MAX)
    # Debian's package starts the engine itself, unless a policy of the machine forbids it.
    wait_until(lambda: _answers(DEFAULT_SOCKET), SERVICE_START_SECONDS_MAX / 4)


def refusal_of_apt(place: Path, error: subprocess.CalledProcessError) -> str:
    """Why apt did not install, in its own words."""
    tail = (place / APT_LOG_FILE).read_text("utf-8", "replace").splitlines()[-LOG_LINES_SHOWN:]
    return "\n".join([f"apt ended with {error.returncode}. It says:", *tail])


def _start(place: Path, socket: Path, say: Say) -> None:
    program = shutil.which("dockerd", path=SYSTEM_PATH)
    if program is None:
        raise EngineRefused("docker.io was installed, but there is no dockerd.")
    for arguments in STARTS:
        if arguments:
            say(f"It ended; trying again with {' '.join(arguments)}.")
        if _stays([program, *arguments], place, socket):
            return
    tail = (place / LOG_FILE).read_text("utf-8", "replace").splitlines()[-LOG_LINES_SHOWN:]
    raise EngineRefused("\n".join(["dockerd does not start here. It says:", *tail]))


def _stays(command: list[str], place: Path, socket: Path) -> bool:
    """Start dockerd and answer whether it serves; one that does not is ended."""
    with (place / LOG_FILE).open("ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**os.environ, "PATH": SYSTEM_PATH},
            start_new_session=True,
        )
    (place / PID_FILE).write_text(f"{child.pid}\n", "ascii")
    wait_until(lambda: child.poll() is not None or _answers(socket), START_SECONDS_MAX)
    if child.poll() is None and _answers(socket):
        return True
    child.terminate()
    child.wait(STOP_SECONDS_MAX)
    (place / PID_FILE).unlink(missing_ok=True)
    return False


def _answers(socket: Path) -> bool:
    try:
        ask(socket, "GET", "/version")
    except EngineAway:
        return False
    return True


def _process_name(pid: int) -> str:
    """The name of a process; empty where there is none, or only what is left of one."""
    folder = Path("/proc") / str(pid)
    try:
        state = (folder / "stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
        return "" if state == "Z" else (folder / "comm").read_text("ascii").strip()
    except OSError:
        return ""


def _mounts() -> list[str]:
    return Path("/proc/mounts").read_text("utf-8").splitlines()
