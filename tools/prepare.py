"""Installs what the tests need beside `.venv`: Docker Engine, PostgreSQL, busybox and the like.

With --bench also the peer beside which the benchmarks measure. Says first what it is going to
install; does nothing where all is there. Needs root and apt only where something is missing. Every
server that the tests use is started by the tests themselves.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Need:
    """A thing that the tests use: how to see whether it is there, and the package that brings it."""

    what: str
    package: str
    present: Callable[[], bool]


def has_command(name: str) -> bool:
    """Whether a command is on the path or where Debian keeps root's commands."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def has_postgresql() -> bool:
    """Whether a PostgreSQL server's programs are there: Debian keeps them off the path."""
    return has_command("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def has_static_busybox() -> bool:
    """Whether busybox needs no library, so that it can stand in an image made from scratch."""
    busybox = Path("/bin/busybox")
    return busybox.is_file() and b"/ld-linux" not in busybox.read_bytes()


NEEDS = (
    Need("Docker Engine", "docker.io", lambda: has_command("dockerd")),
    Need("Docker's command line", "docker.io", lambda: has_command("docker")),
    Need("PostgreSQL", "postgresql", has_postgresql),
    Need("busybox without libraries", "busybox-static", has_static_busybox),
    Need("the command ip", "iproute2", lambda: has_command("ip")),
    Need("nftables", "nftables", lambda: has_command("nft")),
    Need("iptables", "iptables", lambda: has_command("iptables")),
    Need("skopeo", "skopeo", lambda: has_command("skopeo")),
)
BENCH_NEEDS = (
    Need("Debian's registry", "docker-registry", lambda: has_command("docker-registry")),
)


def missing(needs: tuple[Need, ...] = NEEDS) -> list[Need]:
    """What of these is not there yet."""
    return [need for need in needs if not need.present()]


def install(packages: list[str], log: Path | None = None) -> None:
    """Install Debian packages; raises CalledProcessError where apt refuses.

    What apt says goes to the end of `log`, or to this terminal.
    """
    # Debian's needrestart would ask, or tell at length, what else could be started anew.
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
    environment = {**os.environ, **quiet}
    options = ["-y", "-qq", "--no-install-recommends"]
    commands = (["apt-get", "update", "-qq"], ["apt-get", "install", *options, *packages])
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("ab")) if log else None
        for command in commands:
            subprocess.run(command, check=True, env=environment, stdout=output, stderr=output)


def main() -> int:
    """Install what is missing; the exit code."""
    wanted = (*NEEDS, *BENCH_NEEDS) if "--bench" in sys.argv[1:] else NEEDS
    needs = missing(wanted)
    if not needs:
        return 0
    packages = list(dict.fromkeys(need.package for need in needs))
    print(f"Missing: {', '.join(need.what for need in needs)}.")
    if os.geteuid() != 0 or not has_command("apt-get"):
        print(f"Install them and run this again. On Debian: apt-get install {' '.join(packages)}")
        return 1
    print(f"Installing with apt: {' '.join(packages)}", flush=True)
    install(packages)
    if not has_command("docker"):
        install(["docker-cli"])  # newer Debian packs the command line by itself
    still = missing(wanted)
    if still:
        print(f"Still missing: {', '.join(need.what for need in still)}.")
    return int(bool(still))


if __name__ == "__main__":
    sys.exit(main())
