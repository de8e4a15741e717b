"""Tasks that are there: StopTask, DescribeTasks (the hot path of every waiter), ListTasks."""

from moorage.ecs.rules.task.stop import (
    REASON_LENGTH_MAX,
    USER,
    USER_REASON_DEFAULT,
    ask_to_stop,
)
from moorage.ecs.store import (
    clusters,
    container_instances,
    images,
    provisioning,
    services,
    tasks,
)
from moorage.ecs.views import task as views
from moorage.ground.arn import is_arn, make_arn
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.ecs import task as shapes
from moorage.shapes.ecs.failure import Failure
from moorage.shapes.ecs.faults import (
    InvalidParameterException,
    ServiceNotFoundException,
    UnsupportedFeatureException,
)

DESCRIBED_MAX = 100
PAGE_LENGTH = 100


@operation()
def stop_task(call: Call, request: shapes.StopTaskRequest) -> shapes.StopTaskResponse:
    """Order a task to stop; its tags are dropped, as in ECS. A task that has stopped is shown."""
    cluster = clusters.active(call.tx, call, request.cluster)
    task = tasks.find(call.tx, call, request.task or "", cluster.name)
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    reason = request.reason or USER_REASON_DEFAULT
    if len(reason) > REASON_LENGTH_MAX:
        raise InvalidParameterException(f"The reason has at most {REASON_LENGTH_MAX} characters.")
    stopping = ask_to_stop(task, USER, reason, call.now)
    if stopping != task:
        stopping = tasks.write(call.tx, evolve(stopping, tags=[]))
        if stopping.is_stopped:
            images.release(call.tx, stopping.arn)
    return shapes.StopTaskResponse(task=views.view(stopping, tags=True))


@operation(reads=True)
def describe_tasks(
    call: Call, request: shapes.DescribeTasksRequest
) -> shapes.DescribeTasksResponse:
    """Describe up to a hundred tasks by id or ARN, in the order in which they were named."""
    texts = request.tasks
    if not texts:
        raise InvalidParameterException("Tasks cannot be empty.")
    if len(texts) > DESCRIBED_MAX:
        raise InvalidParameterException(f"Tasks cannot have more than {DESCRIBED_MAX} elements.")
    cluster = clusters.active(call.tx, call, request.cluster)
    with_tags = "TAGS" in (request.include or ())
    arns = {text: tasks.arn_of(call, text, cluster.name) for text in texts}
    found = tasks.named(call.tx, [arn for arn in arns.values() if arn])
    waits = any(task.provisioning is not None for task in found.values())
    positions = provisioning.positions(call.tx, cluster.arn) if waits else {}
    return shapes.DescribeTasksResponse(
        tasks=[
            views.view(found[arn], tags=with_tags, position=positions.get(arn))
            for arn in dict.fromkeys(arns.values())
            if arn in found
        ],
        failures=[
            Failure(arn=_missing(call, cluster.name, text), reason="MISSING")
            for text, arn in arns.items()
            if arn not in found
        ],
    )


@operation(reads=True)
def list_tasks(call: Call, request: shapes.ListTasksRequest) -> shapes.ListTasksResponse:
    """List the ARNs of tasks that should run, or of those that should not (`STOPPED`).

    PENDING matches nothing, as in ECS; `startedBy` stands alone.
    """
    listing = Listing(
        call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH, refused=InvalidParameterException
    )
    filters = _filters(call, request)
    found = tasks.page(call.tx, filters, listing.after, listing.limit + 1) if filters else []
    shown, following = listing.cut(found, lambda task: task.arn)
    return shapes.ListTasksResponse(task_arns=[task.arn for task in shown], next_token=following)


def _missing(call: Call, cluster: str, text: str) -> str:
    if is_arn(text):
        return text
    return make_arn("task", call.region, call.account, cluster, text.rpartition("/")[2])


def _filters(call: Call, request: shapes.ListTasksRequest) -> dict[str, str | bool]:
    """The columns and values that a request asks for; empty where nothing can match."""
    if request.daemon_name:
        raise UnsupportedFeatureException(
            "daemonName is not supported yet: Moorage does not have managed daemons."
        )
    others = (
        request.container_instance,
        request.family,
        request.service_name,
        request.launch_type,
    )
    if request.started_by and any(others):
        raise InvalidParameterException("startedBy must be the only filter that is used.")
    cluster = clusters.active(call.tx, call, request.cluster)
    status = request.desired_status or "RUNNING"
    filters: dict[str, str | bool] = {"cluster_arn": cluster.arn, "desired_status": status}
    if request.service_name:
        service = services.find(call.tx, call, request.service_name, cluster.name)
        if service is None:
            raise ServiceNotFoundException("Service not found.")
        filters["service"] = service.arn
    if request.container_instance:
        text = request.container_instance
        instance = container_instances.find(call.tx, call, text, cluster.name)
        if instance is None:
            raise InvalidParameterException("The referenced container instance was not found.")
        filters["instance"] = instance.arn
    columns = {
        "family": request.family,
        "launch_type": request.launch_type,
        "started_by": request.started_by,
    }
    filters |= {name: value for name, value in columns.items() if value}
    return filters if status != "PENDING" else {}
