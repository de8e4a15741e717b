"""Placement: a task begins only on a host that takes tasks, and of which its constraints are true.

What an expression means is told by `sim.words`, which knows nothing of the product's parser. What
runs already stays where it is, whatever becomes of its host's attributes.
"""

from collections.abc import Sequence

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.shapes.ecs.placement import PlacementConstraint
from moorage.sim.laws.law import Law, begun, row_of
from moorage.sim.sight import Commit
from moorage.sim.words import MEANINGS


class Placement(Law):
    """Constraints hold where tasks begin."""

    name = "placement"

    def committed(self, commit: Commit) -> None:
        """Look at each task that begins, or that has waited and gets its host."""
        for task in begun(commit):
            host = self.books.instance(task.instance)
            if host is not None:
                self._look(host, task, commit)

    def _look(self, host: ContainerInstance, task: Task, commit: Commit) -> None:
        row = row_of(commit, host.arn)
        seen = [host, *([row.before] if row is not None and row.before is not None else [])]
        if not any(takes_tasks(one) for one in seen):
            self.broken(f"{task.arn} began on {host.name}, which takes no tasks now")
        service = self.books.service(task.service) if task.service else None
        if service is not None and not any(means(service, one) for one in seen):
            self.broken(f"{task.arn} of {service.name} began on {host.name}, against a constraint")
        if not any(one.type == "distinctInstance" for one in _constraints(service, task, commit)):
            return
        others = [
            one.arn
            for one in self.books.on_host(host.arn)
            if one.group == task.group and one.arn != task.arn
        ]
        if others:
            self.broken(f"{task.arn} of {task.group} began on {host.name} beside {others}")


def _constraints(
    service: Service | None, task: Task, commit: Commit
) -> Sequence[PlacementConstraint]:
    """Those of a task's service; of one without, those with which it has waited for its host."""
    if service is not None:
        return service.placement_constraints
    row = row_of(commit, task.arn)
    waited = row.before.provisioning if row is not None and row.before is not None else None
    return waited.placement_constraints if waited is not None else ()


def takes_tasks(host: ContainerInstance) -> bool:
    """Whether a host is there, whole, and nobody empties it."""
    is_here = host.connected and not host.suspect and host.flapping_until is None
    return is_here and host.status == "ACTIVE" and host.lost_at is None and is_whole(host)


def is_whole(host: ContainerInstance) -> bool:
    """Whether its engine works, as far as its agent knows."""
    return host.engine_gone_at is None and host.runtime_status != "IMPAIRED"


def means(service: Service, host: ContainerInstance) -> bool:
    """Whether all expressions of a service are true of a host."""
    return all(
        MEANINGS[one.expression or ""](host)
        for one in service.placement_constraints
        if one.type == "memberOf"
    )
