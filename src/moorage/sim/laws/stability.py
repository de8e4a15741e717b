"""I15: nothing that runs is stopped because a part of the control plane is away.

A container is sent a signal only where an order says so: its task is to stop, has stopped, is
unknown, or its host was removed. And the order itself has its reason elsewhere: a host is not taken
for lost because the server was away, however long; only after something befell it or its cable.
"""

from moorage.sim.laws.law import Law
from moorage.sim.sight import Commit, Happened


class Stability(Law):
    """No stop without an order."""

    name = "I15 stability"

    def committed(self, commit: Commit) -> None:
        """Look for the reason."""
        for row in commit.rows:
            if row.table != "container_instances" or row.before is None or row.after is None:
                continue
            if row.before.lost_at is None and row.after.lost_at is not None:
                machine = self.scene.machine_of(row.after.arn)
                if machine is not None and not machine.is_harmed:
                    self.broken(f"{machine.name} is taken for lost, and nothing ever befell it")

    def happened(self, happened: Happened) -> None:
        """Look for the order."""
        if happened.deed != "terminated":
            return
        task = self.books.task(happened.task)
        if task is None or task.desired_status == "STOPPED" or task.is_stopped:
            return
        host = self.books.instance(task.instance)
        if host is None or host.status == "INACTIVE":
            return
        self.broken(f"{happened.machine} stopped {happened.task}, and nobody had told it to")
