"""I5: each container that runs belongs to one task of that host, and each task has one container.

At each start: the task is known, is on that very host, has not stopped, and runs nowhere else. That
every task has its container, and every container its task, is for the calm (I4).
"""

from moorage.sim.laws.law import Law
from moorage.sim.sight import Happened


class Lineage(Law):
    """No orphan, no twin."""

    name = "I5 lineage"

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
