"""Files that are there, to be read: an open blob, and the listing of a folder."""

import os
import stat as modes
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from moorage.blob.medium import named_failures
from moorage.ground.instant import Instant

_NANOSECONDS_PER_MICROSECOND = 1000


class FileBlob:
    """A blob's open file (see store.OpenBlob)."""

    def __init__(self, descriptor: int, size: int) -> None:
        """Own the descriptor."""
        self._descriptor = descriptor
        self._size = size

    @property
    def size(self) -> int:
        """The file's size."""
        return self._size

    def fileno(self) -> int | None:
        """The descriptor, for os.sendfile."""
        return self._descriptor

    def read_at(self, offset: int, size: int) -> bytes:
        """The bytes from `offset` on."""
        parts = []
        with named_failures("while reading a blob"):
            while size > 0 and (part := os.pread(self._descriptor, size, offset)):
                parts.append(part)
                offset += len(part)
                size -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Let go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        """The blob itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def modified_of(facts: os.stat_result) -> Instant:
    """When a file was last written to."""
    return Instant(facts.st_mtime_ns // _NANOSECONDS_PER_MICROSECOND)


def files_in(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Name and facts of each regular file in a folder, in the order of names. StoreFailed."""
    with named_failures("while listing"), os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        with named_failures("while listing"):
            try:
                facts = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
        if modes.S_ISREG(facts.st_mode):
            yield entry.name, facts
