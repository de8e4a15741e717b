"""Hosts for people: where each stands and why, a drain with a deadline, a loss that is confirmed."""

from collections.abc import Sequence

from moorage.ecs.records.container_instance import ContainerInstance, Drain, DrainTimeout
from moorage.ecs.records.task import Task
from moorage.ecs.rules.host.drain import remaining
from moorage.ecs.rules.task.stop import HOST_GONE, ask_to_stop
from moorage.ecs.store import brakes, clusters, container_instances, tasks
from moorage.ecs.views import host as views
from moorage.ground.fault import Validation
from moorage.ground.instant import iso, later, seconds
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.kernel.paging import Listing
from moorage.shapes.moorage.host_state import (
    ConfirmHostLostRequest,
    ConfirmHostLostResponse,
    DescribeHostsRequest,
    DescribeHostsResponse,
    DrainHostRequest,
    DrainHostResponse,
    Host,
)

PAGE_LENGTH = 100
NAMED_MAX = 100
_TIMEOUTS: dict[str, DrainTimeout] = {"force": "force", "abandon": "abandon"}


@operation(reads=True)
def describe_hosts(call: Call, request: DescribeHostsRequest) -> DescribeHostsResponse:
    """Describe the hosts of a cluster, or those that are named; raises Validation for a stranger."""
    listing = Listing(call, request, limit=PAGE_LENGTH, most=PAGE_LENGTH, refused=Validation)
    cluster = clusters.active(call.tx, call, request.cluster)
    if request.hosts is not None:
        if len(request.hosts) > NAMED_MAX:
            raise Validation(f"At most {NAMED_MAX} hosts are described at once.")
        if request.max_results is not None or request.next_token:
            raise Validation(
                "hosts names what is described: maxResults and nextToken do not apply."
            )
        named = [_host(call, cluster.name, text) for text in request.hosts]
        return DescribeHostsResponse(hosts=_shown(call, named))
    found = container_instances.page(
        call.tx, cluster.arn, container_instances.LIVE, listing.after, listing.limit + 1
    )
    shown, following = listing.cut(found, lambda one: one.arn)
    return DescribeHostsResponse(hosts=_shown(call, shown), next_token=following)


@operation()
def drain_host(call: Call, request: DrainHostRequest) -> DrainHostResponse:
    """Drain a host, perhaps with a deadline; a second call replaces the deadline of the first.

    Its services move their tasks as far as their percentages let them. At the deadline `force`
    stops what is left of services, replaced or not; `abandon` takes the host back.
    Stand-alone tasks are left alone either way.
    """
    cluster = clusters.active(call.tx, call, request.cluster)
    instance = _host(call, cluster.name, request.host or "")
    if request.deadline_seconds is None and request.on_timeout is not None:
        raise Validation("onTimeout says what happens at deadlineSeconds, which is missing.")
    drain = None
    if request.deadline_seconds is not None:
        drain = Drain(
            deadline=later(call.now, seconds(request.deadline_seconds)),
            on_timeout=_TIMEOUTS[request.on_timeout or "force"],
        )
    after = evolve(instance, status="DRAINING", drain=drain)
    if after != instance:
        after = container_instances.write(call.tx, after)
    (shown,) = _shown(call, [after])
    return DrainHostResponse(host=shown)


@operation()
def confirm_host_lost(call: Call, request: ConfirmHostLostRequest) -> ConfirmHostLostResponse:
    """Say that a lost host does not come back with its tasks: services replace theirs now.

    Those too that may never run a task too many. Should it come back all the same, these tasks are
    told to stop there at once. Refused while the host is connected, or not lost.
    """
    cluster = clusters.active(call.tx, call, request.cluster)
    instance = _host(call, cluster.name, request.host or "")
    _refuse_unless_lost(instance)
    live = tasks.live_of_instance(call.tx, instance.arn)
    given_up = remaining(live)
    if instance.confirmed_at is None:
        instance = container_instances.write(
            call.tx,
            evolve(instance, confirmed_at=call.now, replace_at=instance.replace_at or call.now),
        )
    reason = f"The host {instance.name or instance.id} was confirmed as lost"
    for task in given_up:
        tasks.write(call.tx, ask_to_stop(task, HOST_GONE, reason, call.now))
    brakes.brake(call.tx, brakes.of_host(instance), brakes.brake_rule(call.site))
    (shown,) = _shown(call, [instance])
    return ConfirmHostLostResponse(
        host=shown,
        service_tasks=len(given_up),
        other_tasks=sum(not task.service for task in live),
    )


def _refuse_unless_lost(instance: ContainerInstance) -> None:
    name = instance.name or instance.id
    if instance.connected and instance.lost_at is not None:
        raise Validation(
            f"The agent of {name} is connected: only its container engine is gone. Start the "
            f"engine, or take the host out with: moorage host remove {name} --force"
        )
    if instance.connected:
        raise Validation(
            f"The host {name} is connected: nothing of it is lost. To empty it: moorage host drain "
            f"{name}"
        )
    if instance.lost_at is None and instance.disconnection == "never":
        raise Validation(
            f"The host {name} has never connected, so it has nothing to lose. To take it out: "
            f"moorage host remove {name}"
        )
    if instance.lost_at is None:
        since = (
            "" if instance.disconnected_at is None else f" since {iso(instance.disconnected_at)}"
        )
        raise Validation(
            f"The host {name} is away{since} and not lost: its tasks probably run on. Wait until "
            "it is taken for lost, or, if it is gone for good: moorage host remove "
            f"{name} --force"
        )


def _host(call: Call, cluster: str, text: str) -> ContainerInstance:
    found = container_instances.called(call.tx, call, text, cluster)
    if found is None:
        raise Validation(
            f"The cluster {cluster} has no host {text}. They are listed by: moorage host list"
        )
    return found


def _shown(call: Call, instances: Sequence[ContainerInstance]) -> list[Host]:
    live: dict[str, list[Task]] = {}
    for task in tasks.live_of_instances(call.tx, [one.arn for one in instances]):
        live.setdefault(task.instance, []).append(task)
    return [views.view(one, live.get(one.arn, []), call.now) for one in instances]
