"""A folder in memory, for the one small file that the agent writes by itself (`agent.contact`)."""

from pathlib import Path
from typing import cast


class Folder:
    """As much of pathlib.Path as that file needs; a path in it is a folder with a longer name."""

    def __init__(self, files: dict[str, bytes] | None = None, name: str = "/simulated") -> None:
        """Begin empty, or look at the same files under a longer name."""
        self._files = {} if files is None else files
        self._name = name

    def disguised(self) -> Path:
        """As the agent's annotations want it."""
        return cast("Path", self)

    def __truediv__(self, name: str) -> "Folder":
        """What lies in it."""
        return Folder(self._files, f"{self._name}/{name}")

    def __str__(self) -> str:
        """Its name."""
        return self._name

    def with_suffix(self, suffix: str) -> "Folder":
        """The file beside it."""
        return Folder(self._files, self._name.rpartition(".")[0] + suffix)

    def read_bytes(self) -> bytes:
        """Its content; raises FileNotFoundError."""
        try:
            return self._files[self._name]
        except KeyError as error:
            raise FileNotFoundError(self._name) from error

    def write_bytes(self, content: bytes) -> None:
        """Give it that content."""
        self._files[self._name] = content

    def replace(self, other: "Folder") -> None:
        """Move it in the other's place."""
        self._files[str(other)] = self._files.pop(self._name)

    def unlink(self) -> None:
        """Remove it."""
        self._files.pop(self._name, None)
