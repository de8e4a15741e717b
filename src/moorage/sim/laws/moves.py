"""Moves: a rebalancing starts first and stops then, within its budget, and takes nobody's health.

A moved task stops only when there are as many healthy ones as desired without it; what is protected
does not begin to move; no more tasks of a cluster move at once than the settings say.
"""

from moorage.ecs.records.task import Task
from moorage.sim.laws.law import Law, begun, row_of
from moorage.sim.laws.percent import is_as_well, is_healthy, is_order, unordered
from moorage.sim.sight import Commit, Row

MOVED = "Moved to the host"


class Moves(Law):
    """What a rebalancing may do."""

    name = "moves"

    def committed(self, commit: Commit) -> None:
        """Look at successors that begin, and at those that have moved and stop."""
        for task in begun(commit):
            if task.replaces:
                self._began(task, commit)
        for row in commit.rows:
            if row.table == "tasks" and row.before is not None and row.after is not None:
                self._stopped(row, commit)

    def _began(self, successor: Task, commit: Commit) -> None:
        task = self.books.task(successor.replaces)
        if task is None or task.is_stopped or task.service != successor.service:
            self.broken(f"{successor.arn} began in the place of {successor.replaces}, which is not")
            return
        if task.instance == successor.instance:
            self.broken(f"{successor.arn} began in the place of {task.arn}, on the same host")
        if task.is_protected(commit.now) and row_of(commit, task.arn) is None:
            self.broken(f"{task.arn} is protected, and {successor.arn} began in its place")
        moving = under_way(self.books.live)
        most = self.scene.plane.site.rebalance_moves_max
        if len(moving) > most:
            self.broken(f"{len(moving)} tasks move at once, and at most {most} may")

    def _stopped(self, row: Row, commit: Commit) -> None:
        task = row.before
        service = self.books.service(task.service) if task.service else None
        if service is None or service.status != "ACTIVE" or not is_order(row):
            return
        if not (row.after.stopped_reason or "").startswith(MOVED) or not is_healthy(task):
            return
        if not is_as_well(row):
            return
        # That one is well no more, or has ended, may have been heard in this commit, after the order.
        healthy = {
            one.arn
            for one in (*self.books.of_service(service.arn), *unordered(commit, service.arn))
            if one.desired_status == "RUNNING" and is_healthy(one)
        }
        left = len(healthy)
        written = row_of(commit, service.arn)
        desired = min(one.desired_count for one in (service, written and written.before) if one)
        if left < desired:
            self.broken(
                f"{task.arn} has moved and was stopped, and {service.name} was left with {left} "
                f"healthy tasks of {desired}"
            )


def under_way(live: list[Task]) -> list[Task]:
    """The successors whose moves are not over: what they replace should run on, for now."""
    running = {task.arn for task in live if task.desired_status == "RUNNING"}
    return [task for task in live if task.replaces in running and task.arn in running]
