"""Waiting: a task that is PROVISIONING has no host, and does not wait for ever.

It gets one and goes on, or it is stopped when its time is over: later than that only by as long as
its cluster was frozen or its server away.
"""

from moorage.ground.instant import later, seconds
from moorage.sim.laws.law import Law
from moorage.sim.sight import Commit

# A server that stands still, then a thaw, then a look.
SLACK = seconds(180)
LOOK_EVERY = 16


class Waiting(Law):
    """PROVISIONING ends."""

    name = "waiting"

    def committed(self, commit: Commit) -> None:
        """Compare those that were written; look for the forgotten now and then."""
        for row in commit.rows:
            if row.table != "tasks" or row.after is None or row.after.is_stopped:
                continue
            waits, task = row.after.last_status == "PROVISIONING", row.after
            if waits == bool(task.instance) or waits != (task.provisioning is not None):
                self.broken(f"{task.arn} is {task.last_status}, on the host {task.instance!r}")
        if commit.number % LOOK_EVERY:
            return
        for task in self.books.live:
            if task.provisioning is not None and later(task.provisioning.until, SLACK) < commit.now:
                self.broken(f"{task.arn} waits for room, and its time is long over")
