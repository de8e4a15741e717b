"""Moorage_V1 CheckDefinition: a preflight of a task definition or a service, which changes nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.rules.capacity.sharing import share
from moorage.ecs.rules.definition.defaults import normal_form
from moorage.ecs.rules.deployment.wants import wants_of_tagged
from moorage.ecs.rules.explanation import definition as rules
from moorage.ecs.rules.explanation.definition import Finding
from moorage.ecs.rules.explanation.filters import Funnel, funnel, name_of
from moorage.ecs.rules.placement.constraint import Wants
from moorage.ecs.rules.placement.place import Batch, place
from moorage.ecs.rules.placement.view import ClusterView
from moorage.ecs.rules.placement.wants import wants_of
from moorage.ecs.store import capacity, clusters, task_definitions
from moorage.ecs.store.view import cluster_view
from moorage.ecs.views import explanation as views
from moorage.ground.fault import Fault, Serialization, Validation
from moorage.ground.record import Record
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.constraint import violations
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem
from moorage.shapes.ecs.constraints import CONSTRAINTS
from moorage.shapes.ecs.placement import PlacementStrategy
from moorage.shapes.ecs.service import CreateServiceRequest
from moorage.shapes.ecs.task_definition import RegisterTaskDefinitionRequest
from moorage.shapes.moorage import check as shapes
from moorage.wire import json11

# What answers wrap around the same document; DescribeServices a list, which may hold only one.
_WRAPPED = ("taskDefinition", "service")
_LISTED = "services"
_STRATEGY = "capacityProviderStrategy"


class _Asked(Record):
    """What is to be placed: tasks that want the same, by strategies, or one `everywhere`.

    `providers` is the capacity provider strategy, empty for any host.
    """

    wants: Wants
    count: int
    strategies: tuple[PlacementStrategy, ...] = ()
    everywhere: bool = False
    providers: tuple[CapacityProviderStrategyItem, ...] = ()


@operation(reads=True)
def check_definition(
    call: Call, request: shapes.CheckDefinitionRequest
) -> shapes.CheckDefinitionResponse:
    """Say of each member of a task definition or a service what becomes of it, and where it fits.

    Raises Serialization for what is no JSON or of a wrong type, Validation for what is neither.
    """
    document = _unwrapped(_read(request.document or ""))
    own = document.get("cluster", document.get("clusterArn"))  # the latter where it was described
    named = request.cluster or (own if isinstance(own, str) else None)
    cluster = clusters.active(call.tx, call, named)
    look = _definition if rules.CONTAINERS in document else _service
    kind, found, asked = look(call, cluster, document)
    view = cluster_view(call.tx, cluster.arn)
    shares, room = _placed(asked, view) if asked is not None else ({}, None)
    fits = sum(shares.values()) if asked is not None else None
    count = 1 if asked is None else max(asked.count, fits or 0) if asked.everywhere else asked.count
    return shapes.CheckDefinitionResponse(
        kind=kind,
        headline=rules.headline(found, count, fits),
        findings=[
            shapes.Finding(member=one.member or None, verdict=one.verdict, text=one.text or None)
            for one in found
        ],
        asked=count,
        fits=fits,
        hosts=[shapes.HostShare(host=name, tasks=tasks) for name, tasks in sorted(shares.items())],
        placement=views.outlook(room) if room is not None else None,
    )


_Looked = tuple[str, Sequence[Finding], _Asked | None]


def _definition(call: Call, cluster: Cluster, document: Mapping[str, Any]) -> _Looked:
    del call, cluster
    asked = json11.decode(json11.encode(document), RegisterTaskDefinitionRequest)
    broken = _broken(asked)
    found = broken or rules.of_definition(asked, document)
    if any(one.verdict == "refused" for one in found):
        return "taskDefinition", found, None
    wants = wants_of(normal_form(asked), f"family:{asked.family}")
    return "taskDefinition", found, _Asked(wants=wants, count=1)


def _service(call: Call, cluster: Cluster, document: Mapping[str, Any]) -> _Looked:
    asked = json11.decode(json11.encode(document), CreateServiceRequest)
    if not asked.service_name or not asked.task_definition:
        raise Validation(
            "A task definition has containerDefinitions, a service serviceName and taskDefinition: "
            "this document is neither."
        )
    found = [*(_broken(asked) or rules.of_service(asked, document))]
    definition = None
    try:
        definition = task_definitions.active(call.tx, call, asked.task_definition)
    except Fault as fault:
        said = (fault.message or "").removesuffix(".")
        text = f"{said}: {asked.task_definition}. Register it first."
        found = [one for one in found if one.member != "taskDefinition"]
        found.insert(0, Finding(member="taskDefinition", verdict="refused", text=text))
    everywhere = asked.scheduling_strategy == "DAEMON"
    found, providers = _provided(cluster, asked, found)
    if definition is None or any(one.verdict == "refused" for one in found):
        return "service", found, None
    wants = wants_of_tagged(
        asked.service_name,
        definition.definition,
        asked.placement_constraints or (),
        asked.tags or (),
    )
    made = _Asked(
        wants=wants,
        count=1 if everywhere else asked.desired_count or 0,
        strategies=tuple(asked.placement_strategy or ()),
        everywhere=everywhere,
        providers=providers,
    )
    return "service", found, made


def _provided(
    cluster: Cluster, asked: CreateServiceRequest, found: list[Finding]
) -> tuple[list[Finding], tuple[CapacityProviderStrategyItem, ...]]:
    """The findings with that on the strategy of a service, and the strategy that it would have."""
    if asked.scheduling_strategy == "DAEMON":  # runs on every host, whoever provides it
        return found, ()
    strategy, refusal = capacity.strategy_of(
        cluster, asked.capacity_provider_strategy, asked.launch_type
    )
    if refusal is None:
        return found, tuple(strategy)
    refused = Finding(member=_STRATEGY, verdict="refused", text=refusal.message)
    return [refused, *(one for one in found if one.member != _STRATEGY)], ()


def _broken(asked: RegisterTaskDefinitionRequest | CreateServiceRequest) -> list[Finding]:
    """What the model's own constraints refuse."""
    return [
        Finding(member="", verdict="refused", text=one) for one in violations(asked, CONSTRAINTS)
    ]


def _placed(asked: _Asked, view: ClusterView) -> tuple[dict[str, int], Funnel]:
    """How many of the tasks each host would get now, and what the hosts say to one of them."""
    named = [one.capacity_provider or "" for one in asked.providers]
    room = funnel(asked.wants, view, named)
    if asked.everywhere:
        return dict.fromkeys(room.takers, 1), room
    batch = Batch(wants=asked.wants, count=asked.count, strategies=asked.strategies)
    placed = share(batch, asked.providers, {}, view).placed if named else place(batch, view)
    shares = Counter(name_of(view.hosts[arn]) for arn in placed.chosen)
    return dict(shares), room


def _read(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Serialization(f"The document is not valid JSON: {error}.") from error


def _unwrapped(document: object) -> dict[str, Any]:
    found = document
    if isinstance(found, dict) and isinstance(found.get(_LISTED), list):
        if len(found[_LISTED]) != 1:
            raise Validation(f"The list {_LISTED} holds {len(found[_LISTED])}; check one by one.")
        found = found[_LISTED][0]
    for name in _WRAPPED:
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
    if not isinstance(found, dict):
        raise Validation("document is a JSON object: a task definition, or a service.")
    return found
