"""The cluster as placement sees it: hosts with what is promised of each."""

from collections.abc import Iterable, Mapping

from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.resources import Resources
from moorage.ecs.records.task import Task
from moorage.ground.record import Record


class HostLoad(Record):
    """One host and what its live tasks have been promised.

    `cpu`, `memory` and `gpus` are what remains; `ports` and `ports_udp` are taken or reserved.
    `groups` counts the live tasks of each task group, `tasks` all of them.
    """

    instance: ContainerInstance
    cpu: int
    memory: int
    gpus: int
    ports: frozenset[int]
    ports_udp: frozenset[int]
    groups: Mapping[str, int]
    tasks: int
    running: int = 0


class ClusterView:
    """An immutable view of one cluster; each change answers a new view that shares the rest.

    Making one costs in proportion to its hosts and tasks; `with_task`, `without_task` and
    `with_instance` cost a copy of the table of hosts, so that a projection can be kept up.
    """

    def __init__(self, hosts: Mapping[str, HostLoad]) -> None:
        """Take the hosts by their instances' ARNs."""
        self.hosts = hosts

    def with_promises(self, needs: Resources, group: str, arns: Iterable[str]) -> "ClusterView":
        """The view after one more task with these needs was placed on each of `arns`."""
        raise NotImplementedError

    def with_task(self, task: Task) -> "ClusterView":
        """The view with one more live task; its host must be in the view."""
        raise NotImplementedError

    def without_task(self, task: Task) -> "ClusterView":
        """The view without a task that it counted, with the record as it was counted."""
        raise NotImplementedError

    def with_instance(self, instance: ContainerInstance) -> "ClusterView":
        """The view with a new or changed host; promises stay."""
        raise NotImplementedError

    def without_instance(self, arn: str) -> "ClusterView":
        """The view without a host."""
        raise NotImplementedError


def cluster_view(instances: Iterable[ContainerInstance], tasks: Iterable[Task]) -> ClusterView:
    """The view of the instances that are not INACTIVE and of the tasks that are not STOPPED."""
    raise NotImplementedError
