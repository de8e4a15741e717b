"""The file system as the blob store sees it: room, syncs that must not fail, and its errors' names.

A failed fsync ends the process. After one, the kernel may mark the lost pages as clean, so that the
next fsync succeeds over bytes that are not on the disk; only a new process, which trusts nothing
that was not synced before, can go on (reliability rule R1).
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from moorage.blob.store import StoreFailed, StoreFull

RESERVE_BYTES = 64 << 20  # what uploads leave free, so that the database beside them can commit
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_STANDARD_ERROR = 2


def end_process(error: OSError) -> NoReturn:
    """Say why on standard error, and end at once, with no handler and no other thread asked."""
    with suppress(OSError):
        line = f"moorage: fsync failed ({error}): stopping, so that no lost byte is acknowledged\n"
        os.write(_STANDARD_ERROR, line.encode())
    os._exit(os.EX_IOERR)


@contextmanager
def named_failures(doing: str) -> Iterator[None]:
    """Turn the OSErrors of a block into StoreFull and StoreFailed; `doing` says what it does."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull(f"no space left {doing}") from error
        raise StoreFailed(f"the file system failed {doing}: {error.strerror}") from error


class Medium:
    """The settings of one file system: its reserve, and what a failed fsync does.

    `fsync` and `end` are arguments only so that a test can make an fsync fail and see the end.
    """

    def __init__(
        self,
        reserve_bytes: int = RESERVE_BYTES,
        fsync: Callable[[int], None] = os.fsync,
        end: Callable[[OSError], NoReturn] = end_process,
    ) -> None:
        """Keep `reserve_bytes` free; the reserve may be changed at any time."""
        self.reserve_bytes = reserve_bytes
        self._fsync = fsync
        self._end = end

    def room(self, descriptor: int) -> int:
        """How many bytes the file system takes before the reserve is touched; never negative."""
        facts = os.fstatvfs(descriptor)
        return max(0, facts.f_bavail * facts.f_frsize - self.reserve_bytes)

    def sync(self, descriptor: int, doomed: Path | None = None) -> None:
        """Return when a file or a folder is on the disk; else end the process.

        `doomed` is the file whose bytes can no longer be trusted where this fails: it is removed
        first, because it would look whole in the page cache to the process that comes after.
        """
        try:
            self._fsync(descriptor)
        except OSError as error:
            if doomed is not None:
                with suppress(OSError):
                    doomed.unlink()
            self._end(error)

    def sync_folder(self, path: Path) -> None:
        """`sync` of a folder: its names are on the disk."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self.sync(descriptor)
        finally:
            os.close(descriptor)


def write_all(descriptor: int, view: memoryview, offset: int) -> None:
    """Write all of `view` at `offset`: the kernel may take less at a time. OSError."""
    done = 0
    while done < len(view):
        done += os.pwrite(descriptor, view[done:], offset + done)


def write_new(path: Path, content: bytes) -> int:
    """Make a file of mode 0600 that holds `content`, in place of any other; its open descriptor."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        write_all(descriptor, memoryview(content), 0)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_small(path: Path, size_max: int) -> bytes | None:
    """The first `size_max` bytes of a file, or None where there is none. OSError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return os.read(descriptor, size_max)
    finally:
        os.close(descriptor)


def remove(path: Path) -> bool:
    """Unlink a file; whether there was one. OSError."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
