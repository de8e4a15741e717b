"""TagResource, UntagResource, ListTagsForResource: for all that carries tags, one table of kinds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moorage.ecs.records.capacity_provider import CapacityProvider
from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.container_instance import ContainerInstance
from moorage.ecs.records.service import Service
from moorage.ecs.records.task import Task
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.tags import merged, refuse_tags, refuse_untagging
from moorage.ecs.store import (
    capacity_providers,
    clusters,
    container_instances,
    services,
    task_definitions,
    tasks,
)
from moorage.ecs.store.identity import own_arn
from moorage.ecs.views.refusal import heed
from moorage.ground.arn import Arn, parse_arn
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import ANYONE, operation
from moorage.shapes.ecs import tag as shapes
from moorage.shapes.ecs.faults import InvalidParameterException, ResourceNotFoundException

_Bearer = CapacityProvider | Cluster | ContainerInstance | Service | Task | TaskDefinition


@dataclass(frozen=True, slots=True)
class _Found:
    """What carries the tags, and how it is kept with others."""

    bearer: _Bearer
    keep: Callable[[list[shapes.Tag]], object]


def the_host(call: Call, request: shapes.ListTagsForResourceRequest) -> Sequence[str]:
    """For a host: itself, or the host of the task that it asks about."""
    if call.principal.kind != "host":
        return ()
    arn = parse_arn(request.resource_arn or "")
    task = tasks.get(call.tx, str(arn)) if arn is not None and arn.kind == "task" else None
    return (task.instance if task else request.resource_arn or "",)


@operation()
def tag_resource(call: Call, request: shapes.TagResourceRequest) -> shapes.TagResourceResponse:
    """Give a resource tags; those it has under other keys stay."""
    heed(refuse_tags(request.tags))
    found = _needed(call, request.resource_arn)
    tags = merged(found.bearer.tags, request.tags or [])
    heed(refuse_tags([tag for tag in tags if not (tag.key or "").startswith("aws:")]))
    found.keep(tags)
    return shapes.TagResourceResponse()


@operation()
def untag_resource(
    call: Call, request: shapes.UntagResourceRequest
) -> shapes.UntagResourceResponse:
    """Take tags from a resource by their keys; a key that it has not is no error."""
    heed(refuse_untagging(request.tag_keys or ()))
    found = _needed(call, request.resource_arn)
    keys = set(request.tag_keys or ())
    found.keep([tag for tag in found.bearer.tags if tag.key not in keys])
    return shapes.UntagResourceResponse()


@operation(reads=True, callers=ANYONE, resource=the_host)
def list_tags_for_resource(
    call: Call, request: shapes.ListTagsForResourceRequest
) -> shapes.ListTagsForResourceResponse:
    """List the tags of a cluster, a host, a service, a task or a task definition."""
    found = _find(call, _arn(call, request.resource_arn))
    if found is None:
        raise InvalidParameterException("The specified resource was not found.")
    return shapes.ListTagsForResourceResponse(tags=found.bearer.tags)


def _needed(call: Call, text: str | None) -> _Found:
    found = _find(call, _arn(call, text))
    if found is None:
        raise ResourceNotFoundException("The specified resource was not found.")
    return found


def _arn(call: Call, text: str | None) -> Arn:
    """The ARN of one of the kinds that carry tags; raises InvalidParameterException."""
    arn = parse_arn(text or "")
    if arn is None or arn.kind not in _KINDS:
        raise InvalidParameterException(f"Invalid identifier: {text} is no ARN that carries tags.")
    return own_arn(call, arn.kind, str(arn))


def _find(call: Call, arn: Arn) -> _Found | None:
    return _KINDS[arn.kind](call, arn)


def _cluster(call: Call, arn: Arn) -> _Found | None:
    found = clusters.get(call.tx, call.account, call.region, arn.name)
    if found is None or found.status != "ACTIVE":
        return None
    return _Found(found, lambda tags: clusters.put(call.tx, evolve(found, tags=tags)))


def _provider(call: Call, arn: Arn) -> _Found | None:
    found = capacity_providers.get(call.tx, call, arn.name)
    if found is None or found.status != "ACTIVE":
        return None
    return _Found(found, lambda tags: capacity_providers.put(call.tx, evolve(found, tags=tags)))


def _instance(call: Call, arn: Arn) -> _Found | None:
    found = container_instances.get(call.tx, str(arn))
    if found is None:
        return None
    return _Found(found, lambda tags: container_instances.note(call.tx, evolve(found, tags=tags)))


def _service(call: Call, arn: Arn) -> _Found | None:
    found = services.get(call.tx, str(arn))
    if found is None or found.status == "INACTIVE":
        return None
    return _Found(found, lambda tags: services.write(call.tx, evolve(found, tags=tags)))


def _task(call: Call, arn: Arn) -> _Found | None:
    found = tasks.get(call.tx, str(arn))
    if found is None:
        return None
    return _Found(found, lambda tags: tasks.note(call.tx, evolve(found, tags=tags)))


def _definition(call: Call, arn: Arn) -> _Found | None:
    found = task_definitions.find(call.tx, call, str(arn))
    if found is None or found.arn != str(arn):
        return None
    return _Found(found, lambda tags: task_definitions.put(call.tx, evolve(found, tags=tags)))


_KINDS: dict[str, Callable[[Call, Arn], _Found | None]] = {
    "capacity-provider": _provider,
    "cluster": _cluster,
    "container-instance": _instance,
    "service": _service,
    "task": _task,
    "task-definition": _definition,
}
