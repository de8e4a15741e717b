"""I3, counted on the engines: no more containers of a service than it was ever allowed.

Rows say what ought to be; this counts what is, on machines that were never cut off,
without power, taken for lost or removed: what runs on those is nobody's to say.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.rules.deployment.rolling import percentages, upper_limit
from moorage.sim.laws.law import Law
from moorage.sim.sight import Commit, Happened

if TYPE_CHECKING:
    from moorage.sim.machine import Machine


class Engines(Law):
    """Real containers keep to the maximum, too."""

    name = "I3 engines"

    def __init__(self, scene: Any) -> None:
        """Know of no service."""
        super().__init__(scene)
        self.most: dict[str, int] = {}
        self.service: dict[str, str] = {}
        self.daemons: set[str] = set()
        # The ARNs of hosts that were ever taken for lost, or removed.
        self.away: set[str] = set()

    def committed(self, commit: Commit) -> None:
        """Note whose the tasks are, and how many there may be."""
        for row in commit.rows:
            if row.after is None:
                continue
            if row.table == "tasks" and row.after.service:
                self.service[row.after.arn] = row.after.service
            elif row.table == "services":
                if row.after.scheduling_strategy == "DAEMON":
                    self.daemons.add(row.after.arn)
                    continue
                _, percent = percentages(row.after.deployment_configuration)
                most = upper_limit(row.after.desired_count, percent)
                self.most[row.after.arn] = max(self.most.get(row.after.arn, 0), most)
            elif row.table == "container_instances" and _is_away(row.after):
                self.away.add(row.after.arn)

    def happened(self, happened: Happened) -> None:
        """Count when one starts."""
        wanted = self.service.get(happened.task)
        if happened.deed != "started" or wanted is None:
            return
        if wanted in self.daemons:
            self._daemon(wanted, happened.machine)
            return
        counts: Counter[str] = Counter()
        for machine in self.scene.machines:
            if not self._is_disturbed(machine):
                counts.update(self.service.get(arn, "") for arn, _ in machine.running)
        if counts[wanted] > self.most.get(wanted, 0):
            self.broken(
                f"{counts[wanted]} containers of {wanted} run on undisturbed machines, and at most "
                f"{self.most.get(wanted, 0)} were ever allowed"
            )

    def _daemon(self, wanted: str, name: str) -> None:
        """Of a daemon, which follows the hosts, one container runs on a machine."""
        machine = next(one for one in self.scene.machines if one.name == name)
        count = sum(self.service.get(arn) == wanted for arn, _ in machine.running)
        if count > 1 and not self._is_disturbed(machine):
            self.broken(f"{count} containers of the daemon {wanted} run on {name}")

    def _is_disturbed(self, machine: "Machine") -> bool:
        return bool(machine.disturbed) or machine.instance in self.away


def _is_away(host: ContainerInstance) -> bool:
    """Whether it is lost, or was removed by force and has to learn of it."""
    return host.lost_at is not None or host.status == "INACTIVE"
