"""The machine's systemd, behind a port: files of units, and `systemctl`."""

import os
import subprocess
from pathlib import Path
from typing import Protocol

UNITS = Path("/etc/systemd/system")
SECRETS = Path("/etc/moorage")
BOOTED = Path("/run/systemd/system")  # sd_booted(3)
UNIT_MODE = 0o644
SECRETS_MODE = 0o600
CALL_SECONDS_MAX = 120.0


class SystemdRefused(Exception):  # noqa: N818 - shown to the operator as it is
    """It did not do what it was asked; the text says why."""


class Systemd(Protocol):
    """What installing wants of a machine."""

    def runs(self) -> bool:
        """Whether systemd is this machine's init."""
        ...

    def write(self, path: Path, content: str, mode: int) -> None:
        """Have a file of this content and mode. Raises SystemdRefused."""
        ...

    def remove(self, path: Path) -> bool:
        """Have no such file; whether there was one. Raises SystemdRefused."""
        ...

    def control(self, *words: str) -> None:
        """`systemctl WORDS`. Raises SystemdRefused."""
        ...


class HostSystemd:
    """The one of this machine."""

    def runs(self) -> bool:
        """Whether systemd is this machine's init."""
        return BOOTED.is_dir()

    def write(self, path: Path, content: str, mode: int) -> None:
        """Write beside, and move into place."""
        beside = path.with_name(f".{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.unlink(missing_ok=True)
            file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with open(file, "w", encoding="utf-8") as stream:  # noqa: PTH123 - of a descriptor
                os.fchmod(file, mode)
                stream.write(content)
            beside.replace(path)
        except PermissionError as error:
            raise SystemdRefused(f"{path} cannot be written: run this as root (sudo).") from error
        except OSError as error:
            raise SystemdRefused(f"{path}: {error.strerror}") from error

    def remove(self, path: Path) -> bool:
        """Remove it if it is there."""
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except PermissionError as error:
            raise SystemdRefused(f"{path} cannot be removed: run this as root (sudo).") from error
        except OSError as error:
            raise SystemdRefused(f"{path}: {error.strerror}") from error
        return True

    def control(self, *words: str) -> None:
        """Call it, for so long at most."""
        command = ("systemctl", *words)
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=CALL_SECONDS_MAX, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SystemdRefused(f"{' '.join(command)}: {error}") from error
        if done.returncode:
            said = done.stderr.strip() or f"exit status {done.returncode}"
            raise SystemdRefused(f"{' '.join(command)}: {said}")
