"""I15: nothing that runs is stopped because a part of the control plane is away.

A container is sent a signal only where an order says so: its task is to stop, has stopped, is
unknown, or its host was removed.
"""

from moorage.sim.laws.law import Law
from moorage.sim.sight import Happened


class Stability(Law):
    """No stop without an order."""

    name = "I15 stability"

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
