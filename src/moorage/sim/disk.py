"""The disk of a simulated host: what of the agent's records outlives a process, and what a power cut.

A peer of `agent.checkpoint.Checkpoint`. What was saved durably is there after a power cut; what was
only written may be there or not, each file for itself, unless it was written so long ago that the
kernel has written it back by itself (`WRITE_BACK_SECONDS`); a full disk refuses.
"""

import errno
from collections.abc import Callable
from pathlib import Path

from moorage.agent.checkpoint import Checkpoint, Loaded
from moorage.agent.records.host import HostMemory
from moorage.agent.records.task import TaskRecord
from moorage.ground.chance import Chance

# vm.dirty_expire_centisecs, and a little: Linux leaves nothing unwritten for longer.
WRITE_BACK_SECONDS = 35.0
File = TaskRecord | HostMemory | None
HOST = "host"


class Disk(Checkpoint):
    """One host's records: of each file what it holds, what it is sure to hold, and since when."""

    def __init__(self, now_seconds: Callable[[], float]) -> None:
        """Begin empty."""
        self.folder = Path("/simulated/checkpoint")  # the files that it stands for are nowhere
        self.instance = ""
        self.full = False
        # So many more things are saved before `fall` is called; None: nobody waits for it.
        self.saves_left: int | None = None
        self.fall: Callable[[], None] = lambda: None
        self._now_seconds = now_seconds
        self._files: dict[str, File] = {}
        self._sure: dict[str, File] = {}
        self._written: dict[str, float] = {}

    def load(self) -> Loaded:
        """Everything that is there."""
        found = [self._files[name] for name in sorted(self._files)]
        tasks = tuple(one for one in found if isinstance(one, TaskRecord))
        memory = self._files.get(HOST)
        return Loaded(
            tasks=tasks, memory=memory if isinstance(memory, HostMemory) else HostMemory()
        )

    def save(
        self,
        tasks: tuple[TaskRecord, ...],
        forgotten: tuple[str, ...],
        memory: HostMemory | None,
        *,
        durable: bool,
    ) -> None:
        """As the port: raises OSError where the disk is full."""
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        for task in tasks:
            self._put(task.arn, task, durable=durable)
        for arn in forgotten:
            self._put(arn, None, durable=durable)
        if memory is not None:
            self._put(HOST, memory, durable=durable)
        if self.saves_left is not None:
            self.saves_left -= 1
            if self.saves_left < 0:
                self.saves_left = None
                self.fall()

    def lose_power(self, chance: Chance) -> None:
        """Of what was written of late and not forced to the disk, each file is there or not."""
        late = self._now_seconds() - WRITE_BACK_SECONDS
        for name in sorted(self._files):
            if self._written[name] > late and chance.below(2):
                self._files[name] = self._sure.get(name)
        self._sure = dict(self._files)

    def _put(self, name: str, content: File, *, durable: bool) -> None:
        now = self._now_seconds()
        if self._written.get(name, now) <= now - WRITE_BACK_SECONDS:
            self._sure[name] = self._files[name]
        self._files[name] = content
        if durable:
            self._sure[name] = content
        if durable or self._sure.get(name) is content:
            self._written[name] = now - 2 * WRITE_BACK_SECONDS
        else:
            self._written[name] = now
