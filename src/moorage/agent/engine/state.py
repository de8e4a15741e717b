"""All that the engine holds: tasks and memory (kept on disk), and what lives with the process.

Handlers change it through `put`, which notes what is to be looked at again and saved.
"""

from moorage.agent.engine.advance import advance, gone, next_due
from moorage.agent.engine.events import ManifestReceived
from moorage.agent.engine.pulls import Pulls
from moorage.agent.engine.transitions import Story
from moorage.agent.engine.turn import Turn
from moorage.agent.records.host import FINISHED_TASKS_MAX, FinishedTask, Host, HostMemory
from moorage.agent.records.task import TaskRecord
from moorage.ground.instant import Duration, Instant
from moorage.ground.record import Record, evolve

# A task is looked at again once for each other task of the host that may have made way, at most.
ROUNDS_MAX = 10_000


class Look(Record):
    """A full look that is out: its number, the event in which it was asked for, its deadline."""

    number: int
    step: int
    deadline: Instant


class Stuck(Record):
    """A container that does not end: since when it is known, and the engine's own words."""

    since: Instant
    reason: str


class State:
    """The engine's state; `blind` until the first look after a start or an absence of Docker."""

    def __init__(
        self, host: Host, tasks: tuple[TaskRecord, ...], memory: HostMemory, story: Story
    ) -> None:
        """Begin where the checkpoint left off."""
        self.host = host
        self.tasks = {task.arn: task for task in tasks}
        self.memory = memory
        self.story = story
        self.pulls = Pulls(memory.images)
        self.step = 0
        # Docker
        self.blind = True
        self.lost_since: Instant | None = None
        self.lost_reason = ""
        # Since when it was away, from its return until the look that follows.
        self.absent_since: Instant | None = None
        self.stuck: dict[tuple[str, str], Stuck] = {}
        self.told_impaired = False
        self.engine_since: Instant | None = None
        self.look: Look | None = None
        self.looks = 0
        self.look_again = False
        self.look_due: Instant | None = None
        self.touched: dict[tuple[str, str], int] = {}
        # server
        self.payload_seq_num = 0
        self.held_manifest: ManifestReceived | None = None
        self.held_inventory: str | None = None
        self.verifying: str | None = None
        # For how long it has not been heard, by this process; None while it is there.
        self.unheard: Duration | None = Duration(0)
        self.out: set[str] = set()
        self.to_gather = dict.fromkeys(task.arn for task in tasks if task.stopped_at is not None)
        self.to_report: dict[str, None] = {}
        # time
        self.dues: dict[str, Instant] = {}
        self.health_due: Instant | None = None
        self.images_due: Instant | None = None
        # How often a task that has stopped was changed; of which count remains were chosen
        # (`cleaning.dispose`), and when the next go by their age alone: `clean_up_of` says of which
        # tasks that was reckoned.
        self.changes = 0
        self.disposed = -1
        self.clean_up: Instant | None = None
        self.clean_up_of = (-1, 0)
        self.timer: Instant | None = None
        # this event
        self.dirty: dict[str, None] = {}
        self.changed: dict[str, TaskRecord | None] = {}
        self.forgotten: list[str] = []
        self.cleaning: set[str] = set()
        self.port_waiters: set[str] = set()

    def put(self, task: TaskRecord) -> None:
        """Replace a task; it is looked at again before the answer leaves."""
        before = self.tasks.get(task.arn)
        self.dirty[task.arn] = None
        if before is task or before == task:
            return
        self.changed.setdefault(task.arn, before)
        self.tasks[task.arn] = task
        if task.stopped_at is not None or task.settled:
            self.changes += 1
        if task.stopped_at is not None and not task.post_mortem:
            self.to_gather[task.arn] = None
        known = {} if before is None else {record.name: record for record in before.containers}
        for record in task.containers:
            there = known.get(record.name)
            if there is None or (there.status, there.attempt) != (record.status, record.attempt):
                self.touched[task.arn, record.name] = self.step

    def sighted(self) -> bool:
        """Whether what is known of the host's containers may be acted on."""
        return not self.blind and self.lost_since is None

    def settle(self, turn: Turn) -> None:
        """Move on every task that was touched, and those that waited for what these gave up."""
        if not self.sighted():
            return
        for _ in range(ROUNDS_MAX):
            if not self.dirty:
                return
            arn = next(iter(self.dirty))
            del self.dirty[arn]
            task = self.tasks.get(arn)
            if task is None:
                continue
            self._advance(task, turn)
        raise AssertionError("tasks that never rest")

    def _advance(self, task: TaskRecord, turn: Turn) -> None:
        after = advance(task, turn, clean_up=task.arn in self.cleaning)
        if after != task:
            self.put(after)
            del self.dirty[task.arn]
            self.to_report[task.arn] = None
            if self.port_waiters - {task.arn}:
                self.dirty.update(dict.fromkeys(sorted(self.port_waiters - {task.arn})))
        self.port_waiters.discard(task.arn)
        self.port_waiters |= turn.waits_for_ports
        turn.waits_for_ports.clear()
        if gone(after):
            self.forget(after, turn)
            return
        due = next_due(after, turn.now)
        if due is None:
            self.dues.pop(after.arn, None)
        else:
            self.dues[after.arn] = due

    def forget(self, task: TaskRecord, turn: Turn) -> None:
        """Nothing of the task is left: remember only that it is over."""
        images = frozenset(c.image or "" for c in task.task.containers or ())
        self.pulls.used(images, turn.now)
        finished = (
            *(entry for entry in self.memory.finished if entry.arn != task.arn),
            FinishedTask(arn=task.arn, finished_at=turn.now),
        )
        self.memory = evolve(self.memory, finished=finished[-FINISHED_TASKS_MAX:])
        del self.tasks[task.arn]
        self.changes += 1
        self.forgotten.append(task.arn)
        self.changed.pop(task.arn, None)
        self.dues.pop(task.arn, None)
        self.to_report.pop(task.arn, None)
        self.to_gather.pop(task.arn, None)
        self.cleaning.discard(task.arn)
        self.touched[task.arn, ""] = self.step
        turn.durable = True

    def is_finished(self, arn: str) -> bool:
        """Whether this task's STOPPED was accepted and its remains are gone."""
        return any(entry.arn == arn for entry in self.memory.finished)
