"""A cluster as it is described, with what is counted in it."""

from collections.abc import Collection

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.holdings import Holdings
from moorage.ecs.rules.cluster import SETTINGS_DEFAULT
from moorage.shapes.ecs import cluster as shapes
from moorage.shapes.ecs.container_definition import KeyValuePair

EVERYTHING = ("ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS")
_LAUNCH_TYPES = {"EC2": "EC2", "Fargate": "FARGATE", "External": "EXTERNAL"}


def view(cluster: Cluster, holdings: Holdings, include: Collection[str]) -> shapes.Cluster:
    """The cluster; settings, configuration, statistics and tags where `include` asks for them."""
    return shapes.Cluster(
        cluster_arn=cluster.arn,
        cluster_name=cluster.name,
        configuration=cluster.configuration if "CONFIGURATIONS" in include else None,
        status=cluster.status,
        registered_container_instances_count=holdings.instances,
        running_tasks_count=_sum(holdings.tasks, "RUNNING"),
        pending_tasks_count=_sum(holdings.tasks, "PENDING"),
        active_services_count=_sum(holdings.services, "ACTIVE"),
        statistics=_statistics(holdings) if "STATISTICS" in include else [],
        tags=cluster.tags if "TAGS" in include else [],
        settings=(cluster.settings or [*SETTINGS_DEFAULT]) if "SETTINGS" in include else [],
        capacity_providers=cluster.capacity_providers,
        default_capacity_provider_strategy=cluster.default_strategy,
        attachments=[] if "ATTACHMENTS" in include else None,
        service_connect_defaults=(
            shapes.ClusterServiceConnectDefaults(namespace=cluster.service_connect_namespace)
            if cluster.service_connect_namespace
            else None
        ),
    )


def _sum(counts: dict[tuple[str, str], int], status: str) -> int:
    return sum(count for (found, _), count in counts.items() if found == status)


def _statistics(holdings: Holdings) -> list[KeyValuePair]:
    """The counts by launch type, under the names that ECS gives them."""
    figures = {
        f"{status.lower()}{name}TasksCount": holdings.tasks.get((status, kind), 0)
        for status in ("RUNNING", "PENDING")
        for name, kind in _LAUNCH_TYPES.items()
    } | {
        f"{status.lower()}{name}ServiceCount": holdings.services.get((status, kind), 0)
        for status in ("ACTIVE", "DRAINING")
        for name, kind in _LAUNCH_TYPES.items()
    }
    return [KeyValuePair(name=name, value=str(figure)) for name, figure in figures.items()]
