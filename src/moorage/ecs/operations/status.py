"""Our own questions, under Moorage_V1: the state at a glance, and where output is."""

from collections.abc import Sequence

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.task import Task
from moorage.ecs.store import clusters, services, tasks
from moorage.ecs.store.pictures import pictures
from moorage.ecs.store.view import cluster_view
from moorage.ecs.views import status as views
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs.faults import InvalidParameterException
from moorage.shapes.moorage import logs as log_shapes
from moorage.shapes.moorage import status as shapes

CLUSTERS_MAX = 100
EVENTS_MAX = 50
SOURCES_MAX = 100


@operation(reads=True)
def describe_status(
    call: Call, request: shapes.DescribeStatusRequest
) -> shapes.DescribeStatusResponse:
    """Hosts, services, live tasks and the newest events, of one cluster or of all."""
    hosts: list[shapes.HostStatus] = []
    kept: list[shapes.ServiceStatus] = []
    live: list[shapes.TaskStatus] = []
    events: list[shapes.EventStatus] = []
    for cluster in _clusters(call, request.cluster):
        view = cluster_view(call.tx, cluster.arn)
        names = {arn: load.instance.name for arn, load in view.hosts.items()}
        hosts += [views.host(load) for load in view.hosts.values()]
        live += [views.task(one, names) for one in tasks.live_of_cluster(call.tx, cluster.arn)]
        shown = pictures(call.tx, services.live_of_cluster(call.tx, cluster.arn))
        kept += [views.service(picture) for picture in shown]
        events += [event for picture in shown for event in views.events(picture)]
    events.sort(key=lambda event: event.created_at or 0.0, reverse=True)
    return shapes.DescribeStatusResponse(
        hosts=sorted(hosts, key=lambda one: (one.cluster or "", one.name or "")),
        services=sorted(kept, key=lambda one: (one.cluster or "", one.name or "")),
        tasks=live,
        events=events[:EVENTS_MAX],
    )


@operation(reads=True)
def find_logs(call: Call, request: log_shapes.FindLogsRequest) -> log_shapes.FindLogsResponse:
    """The containers of a service or a task and the hosts that hold their output, newest first."""
    if bool(request.service) == bool(request.task):
        raise InvalidParameterException("Name a service or a task.")
    cluster = clusters.active(call.tx, call, request.cluster)
    found = _tasks(call, cluster, request)
    found.sort(key=lambda task: (task.created_at, task.id), reverse=True)
    sources = [
        log_shapes.LogSource(
            instance_arn=task.instance,
            task_arn=task.arn,
            container_name=container.name,
            last_status=container.last_status,
        )
        for task in found
        for container in task.containers
        if request.container in {None, container.name}
    ]
    return log_shapes.FindLogsResponse(sources=sources[:SOURCES_MAX])


def _clusters(call: Call, named: str | None) -> Sequence[Cluster]:
    if named:
        return [clusters.active(call.tx, call, named)]
    return clusters.page(call.tx, call, None, CLUSTERS_MAX)


def _tasks(call: Call, cluster: Cluster, request: log_shapes.FindLogsRequest) -> list[Task]:
    if request.task:
        task = tasks.find(call.tx, call, request.task, cluster.name)
        if task is None:
            raise InvalidParameterException("The referenced task was not found.")
        return [task]
    service = services.needed(call.tx, call, request.service or "", cluster.name)
    return tasks.of_service(call.tx, service.arn)
