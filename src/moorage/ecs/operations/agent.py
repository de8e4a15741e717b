"""What agents call by the public door: where to connect, and how their tasks are.

Repeats change nothing, and a report of a finished task is acknowledged: an agent tries again until
it is. InvalidParameterException makes Amazon's agent drop a report for good, so it is answered for
unknown tasks alone.
"""

from collections.abc import Sequence

from moorage.ecs.records.service_revision import RevisionImage
from moorage.ecs.records.task import Task
from moorage.ecs.rules.task.advance import TaskReport, advance, report_of_container, report_of_task
from moorage.ecs.store import clusters, images, tasks
from moorage.kernel.call import Call
from moorage.kernel.operation import HOSTS, operation
from moorage.shapes.ecs import agent as shapes
from moorage.shapes.ecs.faults import InvalidParameterException

ACS_PATH = "/acs/"
TCS_PATH = "/tcs/"
ACKNOWLEDGED = "ACK"
_Report = shapes.SubmitTaskStateChangeRequest | shapes.SubmitContainerStateChangeRequest


def own_instance(call: Call, request: shapes.DiscoverPollEndpointRequest) -> Sequence[str]:
    """The host that asks, where it says which it is."""
    text = request.container_instance or ""
    return () if not text or text == call.principal.instance else (text,)


def host_of_task(call: Call, request: shapes.SubmitTaskStateChangeRequest) -> Sequence[str]:
    """The host on which the reported task runs; a host speaks for its own tasks only."""
    return _host(call, request)


def host_of_container(
    call: Call, request: shapes.SubmitContainerStateChangeRequest
) -> Sequence[str]:
    """The host on which the reported container runs."""
    return _host(call, request)


@operation(reads=True, callers=HOSTS, resource=own_instance)
def discover_poll_endpoint(
    call: Call, request: shapes.DiscoverPollEndpointRequest
) -> shapes.DiscoverPollEndpointResponse:
    """Where an agent opens its websockets: ACS for orders, TCS for telemetry.

    `zoneId` is of no use where all zones have one address.
    """
    del request  # the answer is the same for all
    return shapes.DiscoverPollEndpointResponse(
        endpoint=f"{call.site.endpoint}{ACS_PATH}",
        telemetry_endpoint=f"{call.site.endpoint}{TCS_PATH}",
    )


@operation(callers=HOSTS, resource=host_of_task)
def submit_task_state_change(
    call: Call, request: shapes.SubmitTaskStateChangeRequest
) -> shapes.SubmitTaskStateChangeResponse:
    """Take in how a task and its containers are, in the order in which things happened.

    `attachments` and `managedAgents` speak of what no task of ours is given, and are not kept.
    """
    _take_in(call, request, report_of_task(request))
    return shapes.SubmitTaskStateChangeResponse(acknowledgment=ACKNOWLEDGED)


@operation(callers=HOSTS, resource=host_of_container)
def submit_container_state_change(
    call: Call, request: shapes.SubmitContainerStateChangeRequest
) -> shapes.SubmitContainerStateChangeResponse:
    """Take in how one container is."""
    _take_in(call, request, report_of_container(request))
    return shapes.SubmitContainerStateChangeResponse(acknowledgment=ACKNOWLEDGED)


def _host(call: Call, request: _Report) -> Sequence[str]:
    task = _task(call, request)
    return (task.instance,) if task else ()


def _task(call: Call, request: _Report) -> Task | None:
    cluster = clusters.find(call.tx, call, request.cluster or call.principal.cluster)
    if cluster is None or not request.task:
        return None
    return tasks.find(call.tx, call, request.task, cluster.name)


def _take_in(call: Call, request: _Report, report: TaskReport) -> None:
    task = _task(call, request)
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    advanced = advance(task, report, call.now)
    if not advanced.changed:
        return
    after = tasks.write(call.tx, advanced.task)
    if after.service:
        return
    if after.is_stopped:
        images.release(call.tx, after.arn)
    elif _digests(after) != _digests(task):
        images.claim(call.tx, call.site.names, after, after.arn, _digests(after))


def _digests(task: Task) -> tuple[RevisionImage, ...]:
    return tuple(
        RevisionImage(container_name=one.name, image=one.image, digest=one.image_digest)
        for one in task.containers
        if one.image_digest
    )
