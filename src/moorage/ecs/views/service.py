"""A service as CreateService, UpdateService, DeleteService and DescribeServices show it."""

from collections.abc import Collection

from moorage.ecs.records.picture import Picture
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.rules.deployment.counts import counts
from moorage.ground.instant import epoch
from moorage.shapes.ecs import service as shapes
from moorage.shapes.ecs.deployment_configuration import DeploymentController

TAGS = "TAGS"


def view(picture: Picture, include: Collection[str]) -> shapes.Service:
    """The service, counted now; its tags where `include` asks for them."""
    service = picture.service
    counted = counts(picture.tasks)
    newest = next((one for one in picture.deployments if one.id == service.deployment), None)
    return shapes.Service(
        service_arn=service.arn,
        service_name=service.name,
        cluster_arn=service.cluster_arn,
        load_balancers=[],
        service_registries=[],
        status=service.status,
        desired_count=service.desired_count,
        running_count=counted.running,
        pending_count=counted.pending,
        launch_type=service.launch_type,
        capacity_provider_strategy=service.capacity_provider_strategy or None,
        task_definition=service.task_definition,
        deployment_configuration=service.deployment_configuration,
        deployments=[_deployment(picture, one) for one in picture.deployments],
        events=[
            shapes.ServiceEvent(
                id=event.id, created_at=epoch(event.created_at), message=event.message
            )
            for event in picture.events
        ],
        created_at=epoch(service.created_at),
        current_service_deployment=newest.arn if newest else None,
        current_service_revisions=[_revision(picture, one) for one in picture.deployments],
        placement_constraints=service.placement_constraints,
        placement_strategy=service.placement_strategy,
        network_configuration=service.network_configuration,
        health_check_grace_period_seconds=service.health_check_grace_period_seconds,
        scheduling_strategy=service.scheduling_strategy,
        deployment_controller=DeploymentController(type="ECS"),
        tags=service.tags if TAGS in include else [],
        created_by=service.created_by,
        enable_ecs_managed_tags=service.enable_ecs_managed_tags,
        propagate_tags=service.propagate_tags,
        enable_execute_command=service.enable_execute_command,
        availability_zone_rebalancing=service.availability_zone_rebalancing,
    )


def _deployment(picture: Picture, deployment: ServiceDeployment) -> shapes.Deployment:
    """One line of the classic `deployments[]`: PRIMARY, or ACTIVE while it still has tasks."""
    service = picture.service
    own = [task for task in picture.tasks if task.deployment == deployment.id]
    counted = counts(own)
    is_primary = deployment.id == service.deployment
    return shapes.Deployment(
        id=deployment.id,
        status="PRIMARY" if is_primary else "ACTIVE",
        task_definition=deployment.task_definition,
        desired_count=_requested(picture, deployment),
        pending_count=counted.pending,
        running_count=counted.running,
        failed_tasks=deployment.failed_tasks,
        created_at=epoch(deployment.created_at),
        updated_at=epoch(deployment.updated_at),
        launch_type=deployment.launch_type,
        capacity_provider_strategy=deployment.capacity_provider_strategy or None,
        network_configuration=service.network_configuration,
        rollout_state=deployment.rollout_state,
        rollout_state_reason=deployment.rollout_reason,
    )


def _revision(
    picture: Picture, deployment: ServiceDeployment
) -> shapes.ServiceCurrentRevisionSummary:
    counted = counts(task for task in picture.tasks if task.deployment == deployment.id)
    return shapes.ServiceCurrentRevisionSummary(
        arn=deployment.revision,
        requested_task_count=_requested(picture, deployment),
        running_task_count=counted.running,
        pending_task_count=counted.pending,
    )


def _requested(picture: Picture, deployment: ServiceDeployment) -> int:
    """The newest is to have all, the others what is still wanted of them."""
    if deployment.id == picture.service.deployment:
        return picture.service.desired_count
    return sum(
        task.deployment == deployment.id and task.desired_status == "RUNNING"
        for task in picture.tasks
    )
