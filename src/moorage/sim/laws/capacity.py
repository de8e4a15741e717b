"""I11: what is promised of a host is what its tasks have, never more than it has; no port twice."""

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.task import Task
from moorage.sim.laws.law import Law, begun
from moorage.sim.sight import Commit

# From here on an engine gives ports itself (the simulated one as Linux does by its defaults): on to
# others as soon as a container has ended, and other ones at a restart, before we are told.
GIVEN_PORT_MIN = 32_768


class Capacity(Law):
    """No host is over-promised."""

    name = "I11 capacity"

    def committed(self, commit: Commit) -> None:
        """Count again the hosts of tasks that began there."""
        for arn in {task.instance: None for task in begun(commit)}:
            host = self.books.instance(arn)
            if host is not None:
                self._count(host, self.books.on_host(arn))
        for task in begun(commit):
            self._weigh(task)

    def _weigh(self, task: Task) -> None:
        """What is promised to a task is what its definition asks for."""
        found = self.books.definition(task.task_definition)
        containers = (found.definition.container_definitions or ()) if found is not None else ()
        cpu = sum(one.cpu or 0 for one in containers)
        memory = sum(one.memory or 0 for one in containers)
        if task.reserved.cpu < cpu or task.reserved.memory < memory:
            self.broken(f"{task.arn} asks for {cpu} and {memory}, and is promised {task.reserved}")
        given = {*task.reserved.ports, *task.reserved.ports_udp}
        mapped = (port for one in containers for port in one.port_mappings or ())
        missing = {port.host_port for port in mapped if port.host_port} - given
        if missing:
            self.broken(f"{task.arn} takes the ports {sorted(missing)}, which nobody keeps for it")

    def _count(self, host: ContainerInstance, tasks: list[Task]) -> None:
        cpu = sum(task.reserved.cpu for task in tasks)
        memory = sum(task.reserved.memory for task in tasks)
        if cpu > host.resources.cpu or memory > host.resources.memory:
            self.broken(
                f"{host.name} has {host.resources.cpu} CPU units and {host.resources.memory} MiB, "
                f"and {cpu} and {memory} are promised to {len(tasks)} tasks"
            )
        taken = {("tcp", port): "itself" for port in host.resources.ports}
        taken |= {("udp", port): "itself" for port in host.resources.ports_udp}
        for task in tasks:
            ports = [("tcp", port) for port in task.reserved.ports]
            for port in [*ports, *(("udp", port) for port in task.reserved.ports_udp)]:
                if port in taken and port[1] < GIVEN_PORT_MIN:
                    self.broken(f"{host.name} gave {port} to {taken[port]} and to {task.arn}")
                taken[port] = task.arn
