"""Who this host is: its key, its account, its cluster and its instance, kept across restarts.

`DATA/identity.json`, readable by its owner only, because it holds the key that speaks for this
host. Joining makes it; the instance's ARN is added when the host has registered. `DATA/lock` keeps
a second agent from the same folder.
"""

import fcntl
import os
from pathlib import Path

import msgspec

from moorage.agent.options import OptionsRefused
from moorage.ground.instant import Instant
from moorage.ground.record import Record

FILE = "identity.json"
LOCK = "lock"
FOLDER_MODE = 0o700
FILE_MODE = 0o600


class Identity(Record):
    """What the server gave to this host.

    `names` are those under which the server's registry is known (`HOST:PORT`). `next_*` is a key
    that is to take the place of the other and was not used yet: both may be good.
    """

    access_key_id: str
    secret_access_key: str
    account: str
    region: str
    cluster: str
    name: str
    endpoint: str = ""
    names: tuple[str, ...] = ()
    container_instance_arn: str = ""
    key_since: Instant | None = None
    next_access_key_id: str = ""
    next_secret_access_key: str = ""

    def __repr__(self) -> str:
        """The host's name and key id, without its secret."""
        return f"Identity(name={self.name!r}, access_key_id={self.access_key_id!r})"


def load(data: Path) -> Identity | None:
    """What `keep` wrote, or None. Raises OptionsRefused where it cannot be read."""
    path = data / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Identity)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OptionsRefused(
            f"{path}: {error}. Without it this host is nobody: restore it, or empty the folder "
            "and join again with a new token."
        ) from error


def keep(data: Path, identity: Identity) -> None:
    """Write it, durably and for its owner alone. Raises OptionsRefused where that fails."""
    path, beside = data / FILE, data / f"{FILE}.new"
    try:
        beside.unlink(missing_ok=True)
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with open(file, "wb", buffering=0) as stream:  # noqa: PTH123 - of a descriptor
            stream.write(msgspec.json.encode(identity))
            os.fsync(file)
        beside.replace(path)
        folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise OptionsRefused(f"{path}: {error}") from error


def claim(data: Path) -> int:
    """Make the folder and lock it for this process; the answer is the lock, held while open.

    Raises OptionsRefused where another agent has it.
    """
    try:
        data.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        file = os.open(data / LOCK, os.O_RDWR | os.O_CREAT, FILE_MODE)
    except OSError as error:
        raise OptionsRefused(f"{data}: {error}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise OptionsRefused(f"{data}: another agent uses this folder.") from error
    return file
