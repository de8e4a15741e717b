"""One process a database file: a lock on a file beside it, which names its holder."""

import fcntl
import os
from pathlib import Path

from moorage.sql.transaction import OpenRefused

PID_BYTES_MAX = 32


class Claim:
    """The lock on a database file, held until it is released or the process ends."""

    def __init__(self, database: Path) -> None:
        """Take the lock; raises OpenRefused, naming the process that has it."""
        self._path = database.with_name(database.name + ".lock")
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OpenRefused(f"Cannot open {self._path}: {error.strerror}.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._file, PID_BYTES_MAX).decode("ascii", "replace").strip()
            os.close(self._file)
            raise OpenRefused(
                f"The database {database} is in use by process {holder or 'unknown'}:"
                " one server a database. Stop it first."
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process open the database."""
        os.close(self._file)
