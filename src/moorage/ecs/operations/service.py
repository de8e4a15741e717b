"""Services come and go: CreateService and DeleteService."""

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.service import Service
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.definition.daemon import DAEMON_CONFIGURATION, refuse_daemon_percentages
from moorage.ecs.rules.definition.launch import refuse_create, refuse_network
from moorage.ecs.rules.deployment.configuration import full_configuration
from moorage.ecs.rules.placement.strategy import refuse_together
from moorage.ecs.rules.rebalancing.zones import refuse_zone_rebalancing, zone_rebalancing
from moorage.ecs.rules.tags import refuse_tags
from moorage.ecs.store import capacity, clusters, rollouts, services, task_definitions
from moorage.ecs.store.pictures import pictures
from moorage.ecs.views import service as views
from moorage.ecs.views.refusal import heed
from moorage.ground.arn import make_arn
from moorage.ground.names import RESOURCE_NAME
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs import service as shapes
from moorage.shapes.ecs.capacity_provider import CapacityProviderStrategyItem
from moorage.shapes.ecs.faults import (
    InvalidParameterException,
    ServiceNotFoundException,
    UnsupportedFeatureException,
)

NOT_IDEMPOTENT = "Creation of service was not idempotent."
# What must agree for a second CreateService of the same name to be the same request.
COMPARED = (
    "desired_count",
    "task_definition",
    "deployment_configuration",
    "launch_type",
    "capacity_provider_strategy",
    "scheduling_strategy",
    "placement_constraints",
    "placement_strategy",
    "availability_zone_rebalancing",
    "network_configuration",
    "health_check_grace_period_seconds",
    "propagate_tags",
    "enable_ecs_managed_tags",
    "enable_execute_command",
    "client_token",
)


@operation()
def create_service(
    call: Call, request: shapes.CreateServiceRequest
) -> shapes.CreateServiceResponse:
    """Start keeping `desiredCount` copies of a task definition running, or one on each host.

    The name of an INACTIVE service is free, that of a DRAINING one is not; asked again alike, the
    service that is there is shown.
    """
    name = request.service_name or ""
    if not RESOURCE_NAME.fullmatch(name):
        raise InvalidParameterException(
            "The service name must be 1 to 255 letters, digits, hyphens and underscores."
        )
    heed(refuse_create(request))
    heed(refuse_tags(request.tags))
    if request.monitoring is not None and request.monitoring.metric_configurations:
        raise UnsupportedFeatureException("monitoring is not supported yet.")
    if not request.task_definition:
        raise InvalidParameterException("TaskDefinition can not be blank.")
    cluster = clusters.active(call.tx, call, request.cluster)
    definition = task_definitions.active(call.tx, call, request.task_definition)
    heed(refuse_network(definition.definition, request.network_configuration))
    own = definition.definition.placement_constraints
    heed(refuse_together(own, request.placement_constraints))
    draft = _draft(call, cluster, definition, request)
    if draft.scheduling_strategy == "DAEMON":
        heed(refuse_daemon_percentages(draft.deployment_configuration))
    found = services.get(call.tx, draft.arn)
    draft = _balanced(draft, definition, request, found)
    if found is None or found.status == "INACTIVE":
        service = _create(call, draft, definition, found)
    else:
        service = _same(found, draft)
    return shapes.CreateServiceResponse(service=_shown(call, service))


@operation()
def delete_service(
    call: Call, request: shapes.DeleteServiceRequest
) -> shapes.DeleteServiceResponse:
    """Delete a service: DRAINING until its tasks have stopped, INACTIVE and describable then.

    Only a REPLICA service needs `force` where it is not scaled to 0.
    """
    cluster = clusters.active(call.tx, call, request.cluster)
    service = services.needed(call.tx, call, request.service or "", cluster.name)
    if service.status == "INACTIVE":
        raise ServiceNotFoundException("Service not found.")
    is_daemon = service.scheduling_strategy == "DAEMON"
    if service.desired_count and not request.force and not is_daemon:
        raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
    if service.status == "ACTIVE":
        service = services.write(
            call.tx,
            evolve(service, status="DRAINING", desired_count=0, deleted_at=call.now),
        )
    return shapes.DeleteServiceResponse(service=_shown(call, service))


def _draft(
    call: Call,
    cluster: Cluster,
    definition: TaskDefinition,
    request: shapes.CreateServiceRequest,
) -> Service:
    """The service as the request asks for it, before anything was brought out."""
    name = request.service_name or ""
    strategy = _strategy(cluster, request)
    return Service(
        account=call.account,
        region=call.region,
        cluster=cluster.name,
        name=name,
        arn=make_arn("service", call.region, call.account, cluster.name, name),
        status="ACTIVE",
        created_at=call.now,
        created_by=call.principal.arn,
        desired_count=request.desired_count or 0,
        task_definition=definition.arn,
        deployment="",
        deployment_configuration=full_configuration(
            request.deployment_configuration,
            DAEMON_CONFIGURATION if request.scheduling_strategy == "DAEMON" else None,
        ),
        launch_type=None if strategy else request.launch_type or "EC2",
        capacity_provider_strategy=strategy,
        scheduling_strategy=request.scheduling_strategy or "REPLICA",
        placement_constraints=request.placement_constraints or [],
        placement_strategy=request.placement_strategy or [],
        network_configuration=request.network_configuration,
        health_check_grace_period_seconds=request.health_check_grace_period_seconds or 0,
        propagate_tags=request.propagate_tags or "NONE",
        enable_ecs_managed_tags=bool(request.enable_ecs_managed_tags),
        enable_execute_command=bool(request.enable_execute_command),
        client_token=request.client_token or "",
        tags=request.tags or [],
    )


def _balanced(
    draft: Service,
    definition: TaskDefinition,
    request: shapes.CreateServiceRequest,
    found: Service | None,
) -> Service:
    """The service with its rebalancing of zones; left out, it is what a service there has."""
    asked = request.availability_zone_rebalancing
    if asked is None and found is not None and found.status == "ACTIVE":
        asked = found.availability_zone_rebalancing
    chosen = zone_rebalancing(asked, draft, definition.definition)
    balanced = evolve(draft, availability_zone_rebalancing=chosen)
    heed(refuse_zone_rebalancing(balanced, definition.definition))
    return balanced


def _strategy(
    cluster: Cluster, request: shapes.CreateServiceRequest
) -> list[CapacityProviderStrategyItem]:
    """The strategy that is meant; a DAEMON service runs on every host and has none."""
    is_daemon = request.scheduling_strategy == "DAEMON"
    strategy, refused = capacity.strategy_of(
        cluster,
        request.capacity_provider_strategy,
        "EC2" if is_daemon else request.launch_type,
    )
    heed(refused)
    return list(strategy)


def _create(
    call: Call, draft: Service, definition: TaskDefinition, before: Service | None
) -> Service:
    if before is not None:
        rollouts.forget_service(call.tx, before)
    number = rollouts.new_number(call.chance)
    service = evolve(
        draft,
        deployment=rollouts.deployment_id(number),
        version=before.version + 1 if before else 1,
    )
    services.create(call.tx, service)
    rollouts.begin(call.tx, call.site.names, service, definition, number)
    return service


def _same(found: Service, draft: Service) -> Service:
    """The service that is there, if what is asked agrees with it."""
    if found.status == "DRAINING":
        raise InvalidParameterException("Unable to Start a service that is still Draining.")
    # A daemon's count is not asked for: it follows the hosts.
    counted = {"desired_count"} if found.scheduling_strategy == "DAEMON" else set()
    compared = [name for name in COMPARED if name not in counted]
    if any(getattr(found, name) != getattr(draft, name) for name in compared):
        raise InvalidParameterException(NOT_IDEMPOTENT)
    return found


def _shown(call: Call, service: Service) -> shapes.Service:
    (picture,) = pictures(call.tx, [service])
    return views.view(picture, (views.TAGS,))
