"""The disk of a simulated host: what of the agent's records outlives a process, and what a power cut.

A peer of `agent.checkpoint.Checkpoint`. What was saved durably is there after a power cut; what was
only written may be there or not, each file for itself; a full disk refuses.
"""

import errno
from pathlib import Path

from moorage.agent.checkpoint import Checkpoint, Loaded
from moorage.agent.records.host import HostMemory
from moorage.agent.records.task import TaskRecord
from moorage.ground.chance import Chance


class Disk(Checkpoint):
    """One host's records."""

    def __init__(self) -> None:  # the folder of the files that it stands for is nowhere
        """Begin empty."""
        self.folder = Path("/simulated/checkpoint")
        self.instance = ""
        self.full = False
        self._tasks: dict[str, TaskRecord] = {}
        self._memory: HostMemory | None = None
        self._sure: dict[str, TaskRecord] = {}
        self._sure_memory: HostMemory | None = None

    def load(self) -> Loaded:
        """Everything that is there."""
        tasks = tuple(self._tasks[arn] for arn in sorted(self._tasks))
        return Loaded(tasks=tasks, memory=self._memory or HostMemory())

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
            self._tasks[task.arn] = task
            if durable:
                self._sure[task.arn] = task
        for arn in forgotten:
            self._tasks.pop(arn, None)
            if durable:
                self._sure.pop(arn, None)
        if memory is not None:
            self._memory = memory
            if durable:
                self._sure_memory = memory

    def lose_power(self, chance: Chance) -> None:
        """Of what was written and not forced to the disk, each file is there or not."""
        for arn in sorted({*self._tasks, *self._sure}):
            if self._tasks.get(arn) == self._sure.get(arn) or chance.below(2):
                continue
            if arn in self._sure:
                self._tasks[arn] = self._sure[arn]
            else:
                del self._tasks[arn]
        if chance.below(2):
            self._memory = self._sure_memory
        self._sure, self._sure_memory = dict(self._tasks), self._memory
