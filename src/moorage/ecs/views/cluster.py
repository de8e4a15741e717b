"""A cluster as it is described, with what is counted in it."""

from collections.abc import Collection, Iterable

from moorage.ecs.records.cluster import Cluster
from moorage.ground.record import Record
from moorage.shapes.ecs import cluster as shapes
from moorage.shapes.ecs.container_definition import KeyValuePair

_LAUNCH_TYPES = {"EC2": "EC2", "Fargate": "FARGATE", "External": "EXTERNAL"}


class Census(Record):
    """What a cluster holds: hosts, and tasks and services by (status, launch type)."""

    instances: int = 0
    tasks: dict[tuple[str, str], int] = {}
    services: dict[tuple[str, str], int] = {}


def view(cluster: Cluster, census: Census, include: Collection[str]) -> shapes.Cluster:
    """The cluster; settings, configuration, statistics and tags where `include` asks for them."""
    return shapes.Cluster(
        cluster_arn=cluster.arn,
        cluster_name=cluster.name,
        configuration=cluster.configuration if "CONFIGURATIONS" in include else None,
        status=cluster.status,
        registered_container_instances_count=census.instances,
        running_tasks_count=_sum(census.tasks, "RUNNING"),
        pending_tasks_count=_sum(census.tasks, "PENDING"),
        active_services_count=_sum(census.services, "ACTIVE"),
        statistics=_statistics(census) if "STATISTICS" in include else [],
        tags=cluster.tags if "TAGS" in include else [],
        settings=cluster.settings if "SETTINGS" in include else [],
        capacity_providers=cluster.capacity_providers,
        default_capacity_provider_strategy=cluster.default_strategy,
        attachments=[] if "ATTACHMENTS" in include else None,
        service_connect_defaults=(
            shapes.ClusterServiceConnectDefaults(namespace=cluster.service_connect_namespace)
            if cluster.service_connect_namespace
            else None
        ),
    )


def counted(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """How often each (status, launch type) stands among `pairs`."""
    counts: dict[tuple[str, str], int] = {}
    for pair in pairs:
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def _sum(counts: dict[tuple[str, str], int], status: str) -> int:
    return sum(count for (found, _), count in counts.items() if found == status)


def _statistics(census: Census) -> list[KeyValuePair]:
    """The counts by launch type, under the names that ECS gives them."""
    figures = {
        f"{status.lower()}{name}TasksCount": census.tasks.get((status, kind), 0)
        for status in ("RUNNING", "PENDING")
        for name, kind in _LAUNCH_TYPES.items()
    } | {
        f"{status.lower()}{name}ServiceCount": census.services.get((status, kind), 0)
        for status in ("ACTIVE", "DRAINING")
        for name, kind in _LAUNCH_TYPES.items()
    }
    return [KeyValuePair(name=name, value=str(figure)) for name, figure in figures.items()]
