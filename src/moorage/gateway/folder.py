"""The data folder: its layout, its version, its keys, and who holds it.

DATA/
  VERSION            the layout's number
  moorage.toml       settings, if the operator wrote any
  moorage.db         the database (SQLite)
  blobs/ uploads/    the registry's bytes, on one file system
  keys/master        seals secrets in the database (0600)
  keys/operator.json the operator's access key (0600)
  keys/root.json     the first account's root key (0600)
  agents/NAME/       a host's state, for hosts of this machine
  run/               pid files, the address that is served
  log/               log files
  RESTORED           what `moorage restore` leaves for the first start (restored.py)
"""

import os
from pathlib import Path

import msgspec

from moorage.gateway.vault import MASTER_KEY_BYTES
from moorage.ground.chance import Chance
from moorage.ground.record import Record

LAYOUT_VERSION = 1
FOLDERS = ("blobs", "uploads", "keys", "agents", "run", "log")


class FolderRefused(Exception):  # noqa: N818 - shown to the operator as it is
    """The data folder cannot be used; the message says why and what to do."""


class Credentials(Record):
    """An access key as it lies in `keys/`."""

    account_id: str
    access_key_id: str
    secret_access_key: str
    region: str


def prepare(data: Path) -> None:
    """Make what is missing of the layout; raises FolderRefused for one of a newer program."""
    try:
        # What tasks are given and what they print lies in the database as it was written.
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in FOLDERS:
            (data / name).mkdir(exist_ok=True)
        (data / "keys").chmod(0o700)
        version = data / "VERSION"
        if not version.exists():
            write_durably(version, f"{LAYOUT_VERSION}\n".encode(), mode=0o644)
        found = int(version.read_text("ascii"))
    except (OSError, ValueError) as error:
        raise FolderRefused(f"{data}: {error}") from error
    if found > LAYOUT_VERSION:
        raise FolderRefused(
            f"{data} was written by a newer Moorage (layout {found}, this one knows "
            f"{LAYOUT_VERSION}); install that one again, or use another folder."
        )


def master_key(data: Path, chance: Chance) -> bytes:
    """The master key, made at first use; raises FolderRefused where it is damaged."""
    path = data / "keys" / "master"
    if not path.exists():
        write_durably(path, chance.octets(MASTER_KEY_BYTES), mode=0o600)
    key = path.read_bytes()
    if len(key) != MASTER_KEY_BYTES:
        raise FolderRefused(f"{path} has {len(key)} bytes instead of {MASTER_KEY_BYTES}.")
    return key


def keep_credentials(data: Path, name: str, credentials: Credentials) -> None:
    """Write `keys/NAME.json`, readable by its owner only."""
    write_durably(data / "keys" / f"{name}.json", msgspec.json.encode(credentials), mode=0o600)


def read_credentials(data: Path, name: str) -> Credentials | None:
    """What `keep_credentials` wrote, or None."""
    try:
        return msgspec.json.decode((data / "keys" / f"{name}.json").read_bytes(), type=Credentials)
    except FileNotFoundError:
        return None


def write_durably(path: Path, content: bytes, *, mode: int) -> None:
    """Write a small file so that a crash leaves the old one or the new one, never half of it."""
    staged = path.with_name(f".{path.name}.new")
    # A new file, with this mode and owner: what lies there may be somebody's, or lead elsewhere.
    staged.unlink(missing_ok=True)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
