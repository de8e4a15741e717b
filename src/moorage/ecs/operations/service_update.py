"""UpdateService: what a service keeps changes; some changes bring out a new deployment."""

from typing import Any

from moorage.ecs.records.cluster import Cluster
from moorage.ecs.records.service import Service, StartBackoff
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.capacity.strategy import refuse_strategy
from moorage.ecs.rules.definition.daemon import refuse_daemon, refuse_daemon_percentages
from moorage.ecs.rules.definition.launch import refuse_network, refuse_update
from moorage.ecs.rules.deployment.configuration import full_configuration, refuse_full
from moorage.ecs.rules.placement.strategy import refuse_together
from moorage.ecs.rules.rebalancing.zones import refuse_zone_rebalancing
from moorage.ecs.store import clusters, rollouts, services, task_definitions
from moorage.ecs.store.pictures import pictures
from moorage.ecs.views import service as views
from moorage.ecs.views.refusal import heed
from moorage.ground.record import evolve
from moorage.kernel.call import Call
from moorage.kernel.operation import operation
from moorage.shapes.ecs import service as shapes
from moorage.shapes.ecs.faults import (
    ServiceNotActiveException,
    UnsupportedFeatureException,
)
from moorage.shapes.ecs.placement import PlacementStrategy

# Members that are taken over as they are where they are given; an empty list empties.
COPIED = (
    "desired_count",
    "placement_constraints",
    "placement_strategy",
    "availability_zone_rebalancing",
    "health_check_grace_period_seconds",
    "enable_execute_command",
    "enable_ecs_managed_tags",
    "propagate_tags",
    "network_configuration",
)
# What runs changes with these, so a change of them makes a deployment.
DEPLOYED = ("task_definition", "network_configuration")


@operation()
def update_service(
    call: Call, request: shapes.UpdateServiceRequest
) -> shapes.UpdateServiceResponse:
    """Change a service. A new definition or network, or `forceNewDeployment`, makes a deployment.

    The answer lists the new deployment as PRIMARY beside the ACTIVE one; a change of the desired
    count, of placement or of percentages makes none, and what changes nothing makes none.
    """
    if request.placement_strategy == [PlacementStrategy()]:
        # UpdateService in Amazon's model: to remove a strategy, "specify an empty object".
        request = evolve(request, placement_strategy=[])
    heed(refuse_update(request))
    if request.monitoring is not None and request.monitoring.metric_configurations:
        raise UnsupportedFeatureException("monitoring is not supported yet.")
    cluster = clusters.active(call.tx, call, request.cluster)
    service = services.needed(call.tx, call, request.service or "", cluster.name)
    if service.status != "ACTIVE":
        raise ServiceNotActiveException("Service was not ACTIVE.")
    is_daemon = service.scheduling_strategy == "DAEMON"
    heed(refuse_daemon(request) if is_daemon else None)
    if request.task_definition:
        definition = task_definitions.active(call.tx, call, request.task_definition)
    else:
        definition = task_definitions.needed(call.tx, call, service.task_definition)
    changed = _reprovided(cluster, _changed(service, definition, request), request)
    heed(refuse_full(changed.deployment_configuration))
    heed(refuse_daemon_percentages(changed.deployment_configuration) if is_daemon else None)
    heed(refuse_network(definition.definition, changed.network_configuration))
    own = definition.definition.placement_constraints
    heed(refuse_together(own, changed.placement_constraints))
    heed(refuse_zone_rebalancing(changed, definition.definition))
    replaced = any(getattr(changed, name) != getattr(service, name) for name in DEPLOYED)
    if replaced or request.force_new_deployment:
        changed = _deploy(call, changed, definition)
    if changed != service:
        changed = services.write(call.tx, changed)
    (picture,) = pictures(call.tx, [changed])
    return shapes.UpdateServiceResponse(service=views.view(picture, (views.TAGS,)))


def _changed(
    service: Service, definition: TaskDefinition, request: shapes.UpdateServiceRequest
) -> Service:
    """The service with what the request names."""
    given: dict[str, Any] = {name: getattr(request, name) for name in COPIED}
    given = {name: value for name, value in given.items() if value is not None}
    configuration = full_configuration(
        request.deployment_configuration, service.deployment_configuration
    )
    changed = evolve(
        service,
        task_definition=definition.arn,
        deployment_configuration=configuration,
        **given,
    )
    if changed.desired_count != service.desired_count:
        changed = evolve(changed, steady_at=None)
    return changed


def _reprovided(
    cluster: Cluster, service: Service, request: shapes.UpdateServiceRequest
) -> Service:
    """The service with the strategy that is asked for; an empty one leads back to EC2.

    Tasks that run stay where they are: this makes no deployment.
    """
    asked = request.capacity_provider_strategy
    if asked is None:
        return service
    heed(refuse_strategy(asked, cluster.capacity_providers))
    launch_type = None if asked else service.launch_type or "EC2"
    return evolve(service, capacity_provider_strategy=asked, launch_type=launch_type)


def _deploy(call: Call, service: Service, definition: TaskDefinition) -> Service:
    """Bring out a new deployment; failed starts of the one before are forgiven."""
    number = rollouts.new_number(call.chance)
    rollouts.begin(call.tx, call.site.names, service, definition, number)
    return evolve(
        service,
        deployment=rollouts.deployment_id(number),
        backoff=StartBackoff(),
        steady_at=None,
    )
