"""I14: no failure of ours, no answer of 5xx but 503, and nothing that grows without end.

And 503 only where the database has just failed, or did while the call was on its way.
"""

from collections import deque
from typing import Any

from moorage.ecs.records.task import Task
from moorage.sim.laws.law import Law
from moorage.sim.sight import Answered, Commit

# What may be waiting in one world at once: timers of all processes, and packets.
WAITING_MAX = 4000
UNAVAILABLE = 503
SERVER_ERROR = 500
# No attempt of a call takes longer; what it met may be as old.
CALL = 65 * 1_000_000
LOOK_EVERY = 64
# Of one deployment within a minute, whatever becomes of them: scaling and lost hosts together start
# fewer; a crash loop that nothing holds back starts more.
STARTS_MAX = 100
MINUTE = 60 * 1_000_000


class Bounds(Law):
    """Nothing breaks, and nothing grows."""

    name = "I14 bounds"

    def __init__(self, scene: Any) -> None:
        """Know of no start."""
        super().__init__(scene)
        self.starts: dict[str, deque[int]] = {}

    def committed(self, commit: Commit) -> None:
        """Count starts; look at the rest now and then."""
        for row in commit.rows:
            if row.table == "tasks" and row.before is None and row.after.service:
                self._started(row.after, commit.at)
        if commit.number % LOOK_EVERY == 0:
            self._look()

    def answered(self, answered: Answered) -> None:
        """No internal error is anybody's answer."""
        if answered.status >= SERVER_ERROR and answered.status != UNAVAILABLE:
            self.broken(f"{answered.operation} was answered {answered.status} {answered.code}")
        failed_at = self.scene.plane.trouble.failed_at
        if answered.status == UNAVAILABLE and (failed_at is None or failed_at < answered.at - CALL):
            self.broken(f"{answered.operation} was answered {UNAVAILABLE}, and no statement failed")

    def ended(self) -> None:
        """And at the end."""
        self._look()

    def _started(self, task: Task, now: int) -> None:
        starts = self.starts.setdefault(task.deployment, deque())
        starts.append(now)
        while starts[0] < now - MINUTE:
            starts.popleft()
        if len(starts) > STARTS_MAX:
            self.broken(
                f"{task.deployment} of {task.service} started more than {STARTS_MAX} tasks within a minute"
            )

    def _look(self) -> None:
        world = self.scene.world
        for where, what, error in world.failures:
            self.broken(f"{where}: {what}: {error!r}")
        if world.waiting > WAITING_MAX:
            self.broken(f"{world.waiting} things wait for their time")
