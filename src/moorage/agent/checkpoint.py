"""The engine's state on disk, so that tasks outlive the agent.

FOLDER/
  host.json         what outlives tasks (HostMemory)
  tasks/ID.json     one file a task (TaskRecord)

Each file is one JSON object with the format's version and the instance it belongs to. It is
written beside and moved into place, so that it is whole or absent; with `durable` also forced to
the disk. What is found torn (a disk that lost power) is set aside: the engine rebuilds those tasks
from the labels of their containers. What belongs to another instance, or was written by a newer
program, is refused, because to ignore it would be to forget running tasks.
"""

import contextlib
import os
import threading
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from moorage.agent.options import OptionsRefused
from moorage.agent.records.host import HostMemory
from moorage.agent.records.task import TaskRecord
from moorage.ground.record import Record

VERSION = 1
TASKS_FOLDER = "tasks"
HOST_FILE = "host.json"
ASIDE = ".damaged"
FILE_MODE = 0o600
FOLDER_MODE = 0o700
FILE_BYTES_MAX = 16 << 20

_R = TypeVar("_R")


class CheckpointRefused(OptionsRefused):
    """The folder cannot be used; the message says why and what to do."""


class Kept(Record, Generic[_R]):
    """A file: the record, and what says that it is ours to read."""

    version: int
    instance: str
    record: _R


class _Envelope(Record):
    """As much of a file as every version has."""

    version: int
    instance: str


class Loaded(Record):
    """What was found; `damaged` are files that were set aside."""

    tasks: tuple[TaskRecord, ...] = ()
    memory: HostMemory = HostMemory()
    damaged: tuple[str, ...] = ()


class Checkpoint:
    """The files of one instance in one folder."""

    def __init__(self, folder: Path, instance: str) -> None:
        """Use `folder` for `instance` (its ARN); makes the folder. Raises CheckpointRefused."""
        self.folder = folder
        self.instance = instance
        self._one_at_a_time = threading.Lock()
        try:
            (folder / TASKS_FOLDER).mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointRefused(f"{folder}: {error}") from error

    def load(self) -> Loaded:
        """Everything that was saved. Raises CheckpointRefused."""
        damaged: list[str] = []
        tasks = [
            self._read(path, Kept[TaskRecord], damaged)
            for path in sorted((self.folder / TASKS_FOLDER).glob("*.json"))
        ]
        memory = self._read(self.folder / HOST_FILE, Kept[HostMemory], damaged)
        return Loaded(
            tasks=tuple(each.record for each in tasks if each is not None),
            memory=memory.record if memory is not None else HostMemory(),
            damaged=tuple(damaged),
        )

    def save(
        self,
        tasks: tuple[TaskRecord, ...],
        forgotten: tuple[str, ...],
        memory: HostMemory | None,
        *,
        durable: bool,
    ) -> None:
        """Keep `tasks` and `memory`, drop those `forgotten` (ARNs); from any thread. Raises OSError.

        With `durable` all of it has reached the disk when this returns.
        """
        with self._one_at_a_time:
            for task in tasks:
                self._write(self._path(task.arn), task, durable=durable)
            for arn in forgotten:
                self._path(arn).unlink(missing_ok=True)
            if memory is not None:
                self._write(self.folder / HOST_FILE, memory, durable=durable)
            if durable:
                _sync(self.folder / TASKS_FOLDER)
                if memory is not None:
                    _sync(self.folder)

    def _path(self, arn: str) -> Path:
        name = "".join(c if c.isalnum() else "-" for c in arn.rpartition("/")[2])
        return self.folder / TASKS_FOLDER / f"{name}.json"

    def _write(self, path: Path, record: TaskRecord | HostMemory, *, durable: bool) -> None:
        kept = Kept(version=VERSION, instance=self.instance, record=record)
        beside = path.with_suffix(".new")
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        try:
            with open(file, "wb", buffering=0) as stream:  # noqa: PTH123 - of a descriptor
                stream.write(msgspec.json.encode(kept))
                if durable:
                    os.fsync(file)
            beside.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise

    def _read(self, path: Path, kind: type[Kept[_R]], damaged: list[str]) -> Kept[_R] | None:
        try:
            if path.stat().st_size > FILE_BYTES_MAX:
                _set_aside(path, damaged)
                return None
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CheckpointRefused(f"{path}: {error}") from error
        try:
            envelope = msgspec.json.decode(content, type=_Envelope)
        except (msgspec.DecodeError, UnicodeDecodeError):
            _set_aside(path, damaged)
            return None
        if envelope.version > VERSION:
            raise CheckpointRefused(
                f"{path} was written by a newer Moorage (format {envelope.version}, this one "
                f"knows {VERSION}); install that one again."
            )
        if envelope.instance != self.instance:
            raise CheckpointRefused(
                f"{path} belongs to {envelope.instance}, and this host is {self.instance}. Was a "
                "data folder copied? Each host needs one of its own."
            )
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            _set_aside(path, damaged)
            return None


def _set_aside(path: Path, damaged: list[str]) -> None:
    """Keep a file that cannot be read for whoever wants to look, out of the way."""
    path.replace(path.with_name(path.name + ASIDE))
    damaged.append(str(path))


def _sync(folder: Path) -> None:
    """Force the names in a folder to the disk."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
