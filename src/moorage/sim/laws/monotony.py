"""I6: a task goes only forward; STOPPED is the end, with one reason and one record of how."""

from moorage.ecs.records.task import Task
from moorage.sim.laws.law import Law
from moorage.sim.sight import Commit

RANKS = {
    status: rank
    for rank, status in enumerate(
        (
            "PROVISIONING",
            "PENDING",
            "ACTIVATING",
            "RUNNING",
            "DEACTIVATING",
            "STOPPING",
            "DEPROVISIONING",
            "STOPPED",
        )
    )
}
# What a stopped task keeps for as long as it is remembered.
KEPT = ("stop_code", "stopped_reason", "stopped_at", "started_at", "instance", "task_definition")


class Monotony(Law):
    """No status goes back."""

    name = "I6 monotony"

    def committed(self, commit: Commit) -> None:
        """Compare each task with what it was."""
        for row in commit.rows:
            if row.table == "tasks" and row.before is not None and row.after is not None:
                self._compare(row.before, row.after)

    def _compare(self, before: Task, after: Task) -> None:
        if RANKS[after.last_status] < RANKS[before.last_status]:
            self.broken(f"{after.arn} went back from {before.last_status} to {after.last_status}")
        if before.desired_status == "STOPPED" != after.desired_status:
            self.broken(f"{after.arn} was to stop, and is to run again")
        if not before.is_stopped:
            return
        for member in KEPT:
            was, now = getattr(before, member), getattr(after, member)
            if was != now:
                self.broken(f"{member} of stopped {after.arn} changed from {was!r} to {now!r}")
        now_of = {one.name: one.exit_code for one in after.containers}
        for one in before.containers:
            if one.exit_code is not None and one.exit_code != now_of.get(one.name):
                self.broken(f"{one.name} of {after.arn} had ended with {one.exit_code}: {now_of}")
