"""Placement: a task begins only on a host of which its service's constraints are true.

What an expression means is told by `sim.words`, which knows nothing of the product's parser. What
runs already stays where it is, whatever becomes of its host's attributes.
"""

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.sim.laws.law import Law, begun, row_of
from moorage.sim.sight import Commit
from moorage.sim.words import MEANINGS


class Placement(Law):
    """Constraints hold where tasks begin."""

    name = "placement"

    def committed(self, commit: Commit) -> None:
        """Look at each task that begins, or that has waited and gets its host."""
        for task in begun(commit):
            service = self.books.service(task.service) if task.service else None
            host = self.books.instance(task.instance)
            if service is not None and host is not None:
                self._look(service, host, task, commit)

    def _look(self, service: Service, host: ContainerInstance, task: Task, commit: Commit) -> None:
        row = row_of(commit, host.arn)
        seen = [host, *([row.before] if row is not None and row.before is not None else [])]
        if not any(means(service, one) for one in seen):
            self.broken(f"{task.arn} of {service.name} began on {host.name}, against a constraint")
        if not any(one.type == "distinctInstance" for one in service.placement_constraints):
            return
        others = [
            one.arn
            for one in self.books.live
            if one.instance == host.arn and one.group == task.group and one.arn != task.arn
        ]
        if others:
            self.broken(f"{task.arn} of {service.name} began on {host.name} beside {others}")


def means(service: Service, host: ContainerInstance) -> bool:
    """Whether all expressions of a service are true of a host."""
    return all(
        MEANINGS[one.expression or ""](host)
        for one in service.placement_constraints
        if one.type == "memberOf"
    )
