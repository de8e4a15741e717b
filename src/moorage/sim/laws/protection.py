"""Protected: what is protected is stopped neither by scale-in, nor by a deployment, nor by a move.

Protection does not keep a task that fails its health checks, whose host is lost or drained, or
whose service is deleted; what a person stops is that person's business.
"""

from moorage.sim.laws.law import Law
from moorage.sim.laws.percent import is_as_well, is_order
from moorage.sim.sight import Commit, Row


class Protection(Law):
    """The scheduler lets protected tasks be."""

    name = "protected"

    def committed(self, commit: Commit) -> None:
        """Look at whoever was told to stop."""
        for row in commit.rows:
            if row.table == "tasks" and row.before is not None and row.after is not None:
                self._look(row, commit)

    def _look(self, row: Row, commit: Commit) -> None:
        task = row.before
        # As it was when it was stopped: in the same commit its protection may have ended before,
        # or its health.
        if not task.service or not row.after.is_protected(commit.now) or not is_order(row):
            return
        service, host = self.books.service(task.service), self.books.instance(task.instance)
        if service is None or service.status != "ACTIVE" or task.created_at < service.created_at:
            return
        if host is None or host.status != "ACTIVE" or host.lost_at is not None:
            return
        if task.connectivity == "CONNECTED" and task.health != "UNHEALTHY" and is_as_well(row):
            self.broken(f"{task.arn} is protected, and was stopped: {row.after.stopped_reason}")
