"""I5: each container that runs belongs to one task of that host, and each task has one container.

At each start: the task is known, is on that very host, has not stopped, and runs nowhere else. At
each end: a task that is said to have STOPPED has no container left, unless something was done to its
host of which it has to learn first. That every task has its container, and every container its
task, is for the calm (I4).
"""

from moorage.ecs.records.task import Task
from moorage.sim.laws.law import Law
from moorage.sim.sight import Commit, Happened


class Lineage(Law):
    """No orphan, no twin."""

    name = "I5 lineage"

    def committed(self, commit: Commit) -> None:
        """Look whether what has stopped runs on."""
        for row in commit.rows:
            if row.table != "tasks" or row.before is None or row.after is None:
                continue
            if row.after.is_stopped and not row.before.is_stopped:
                self._stopped(row.after)

    def _stopped(self, task: Task) -> None:
        machine = self.scene.machine_of(task.instance)
        host = self.books.instance(task.instance)
        if machine is None or machine.disturbed or host is None:
            return
        is_here = host.status != "INACTIVE" and host.lost_at is None
        if is_here and any(arn == task.arn for arn, _ in machine.running):
            self.broken(f"{task.arn} has STOPPED, it is said, and runs on {machine.name}")

    def happened(self, happened: Happened) -> None:
        """Look whose container starts."""
        if happened.deed != "started":
            return
        task = self.books.task(happened.task)
        machine = next(one for one in self.scene.machines if one.name == happened.machine)
        if task is None:
            self.broken(f"{happened.machine} started a container of {happened.task}, no task")
            return
        if task.instance != machine.instance:
            self.broken(f"{happened.machine} started {task.arn}, a task of another host")
        if task.is_stopped and self._is_known(task.instance):
            self.broken(f"{happened.machine} started {task.arn}, which has STOPPED")
        twins = [
            one.name
            for one in self.scene.machines
            for arn, _ in one.running
            if arn == happened.task
        ]
        if len(twins) > 1:
            self.broken(f"{happened.task} runs {len(twins)} times, on {', '.join(twins)}")

    def _is_known(self, instance: str) -> bool:
        """Whether the host is one of ours; one that was removed by force learns of it later."""
        host = self.books.instance(instance)
        return host is not None and host.status != "INACTIVE"
