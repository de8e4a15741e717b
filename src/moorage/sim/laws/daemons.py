"""Daemons: never two of one on a host.

A daemon stops before its successor starts on the same host. That there is one on every host where
it belongs is for the calm (I4), that there is none elsewhere for the law of placement.
"""

from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.sim.laws.law import Law, begun
from moorage.sim.sight import Commit


class Daemons(Law):
    """One task of a daemon on a host."""

    name = "daemons"

    def committed(self, commit: Commit) -> None:
        """Look at each that begins."""
        for task in begun(commit):
            service = self.books.service(task.service) if task.service else None
            if service is not None and service.scheduling_strategy == "DAEMON":
                self._look(service, task)

    def _look(self, service: Service, task: Task) -> None:
        others = [
            one.arn
            for one in self.books.of_service(service.arn)
            if one.instance == task.instance
            and one.arn != task.arn
            and one.created_at >= service.created_at
        ]
        if others:
            self.broken(f"{task.arn} began on a host that has {others} of {service.name} still")
