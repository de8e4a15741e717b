"""Service deployments and service revisions, as the newer API shows them."""

from collections.abc import Sequence

from moorage.ecs.records.service_deployment import PauseHook, ServiceDeployment
from moorage.ecs.records.service_revision import ServiceRevision
from moorage.ecs.records.task import Task
from moorage.ecs.rules.deployment.circuit_breaker import threshold
from moorage.ecs.rules.deployment.counts import counts
from moorage.ground.arn import make_arn
from moorage.ground.instant import epoch, maybe_epoch
from moorage.shapes.ecs import service_deployment as shapes
from moorage.shapes.ecs import service_revision as revision_shapes


def view(deployment: ServiceDeployment, tasks: Sequence[Task]) -> shapes.ServiceDeployment:
    """One deployment with the live `tasks` of its service."""
    return shapes.ServiceDeployment(
        service_deployment_arn=deployment.arn,
        service_arn=deployment.service,
        cluster_arn=_cluster(deployment),
        created_at=epoch(deployment.created_at),
        started_at=maybe_epoch(deployment.started_at),
        finished_at=maybe_epoch(deployment.finished_at),
        stopped_at=maybe_epoch(deployment.finished_at) if deployment.status == "STOPPED" else None,
        updated_at=epoch(deployment.updated_at),
        source_service_revisions=[_source(arn, tasks) for arn in deployment.source_revisions],
        target_service_revision=_target(deployment, tasks),
        status=deployment.status,
        status_reason=deployment.status_reason,
        lifecycle_stage=deployment.lifecycle_stage,
        lifecycle_hook_details=[_hook(one) for one in deployment.hooks],
        deployment_configuration=deployment.deployment_configuration,
        rollback=_rollback(deployment),
        deployment_circuit_breaker=_breaker(deployment),
        alarms=shapes.ServiceDeploymentAlarms(status="DISABLED"),
    )


def brief(deployment: ServiceDeployment) -> shapes.ServiceDeploymentBrief:
    """One line of ListServiceDeployments."""
    return shapes.ServiceDeploymentBrief(
        service_deployment_arn=deployment.arn,
        service_arn=deployment.service,
        cluster_arn=_cluster(deployment),
        started_at=maybe_epoch(deployment.started_at),
        created_at=epoch(deployment.created_at),
        finished_at=maybe_epoch(deployment.finished_at),
        target_service_revision_arn=deployment.revision,
        status=deployment.status,
        status_reason=deployment.status_reason,
    )


def revision(one: ServiceRevision) -> revision_shapes.ServiceRevision:
    """One revision; `imageDigest` stands beside the image as it was written."""
    return revision_shapes.ServiceRevision(
        service_revision_arn=one.arn,
        service_arn=one.service,
        cluster_arn=make_arn("cluster", one.region, one.account, one.cluster),
        task_definition=one.task_definition,
        launch_type=one.launch_type,
        capacity_provider_strategy=one.capacity_provider_strategy or None,
        load_balancers=[],
        service_registries=[],
        network_configuration=one.network_configuration,
        container_images=[
            revision_shapes.ContainerImage(
                container_name=image.container_name,
                image_digest=image.digest,
                image=image.image,
            )
            for image in one.images
        ],
        guard_duty_enabled=False,
        volume_configurations=[],
        created_at=epoch(one.created_at),
        vpc_lattice_configurations=[],
    )


def _cluster(deployment: ServiceDeployment) -> str:
    return make_arn("cluster", deployment.region, deployment.account, deployment.cluster)


def _source(arn: str, tasks: Sequence[Task]) -> shapes.ServiceRevisionSummary:
    own = [task for task in tasks if task.service_revision == arn]
    counted = counts(own)
    return shapes.ServiceRevisionSummary(
        arn=arn,
        requested_task_count=sum(task.desired_status == "RUNNING" for task in own),
        running_task_count=counted.running,
        pending_task_count=counted.pending,
    )


def _target(deployment: ServiceDeployment, tasks: Sequence[Task]) -> shapes.ServiceRevisionSummary:
    counted = counts(task for task in tasks if task.service_revision == deployment.revision)
    return shapes.ServiceRevisionSummary(
        arn=deployment.revision,
        requested_task_count=deployment.desired_count,
        running_task_count=counted.running,
        pending_task_count=counted.pending,
    )


def _hook(hook: PauseHook) -> shapes.DeploymentLifecycleHookDetail:
    return shapes.DeploymentLifecycleHookDetail(
        hook_id=hook.id,
        target_type="PAUSE",
        status=hook.status,
        expires_at=epoch(hook.expires_at),
        timeout_action=hook.timeout_action,
    )


def _rollback(deployment: ServiceDeployment) -> shapes.Rollback | None:
    if deployment.rollback_started_at is None:
        return None
    return shapes.Rollback(
        reason=deployment.rollback_reason,
        started_at=epoch(deployment.rollback_started_at),
        service_revision_arn=_revision_of(deployment) if deployment.rolled_back_to else None,
    )


def _revision_of(deployment: ServiceDeployment) -> str:
    """The revision of the deployment that was gone back to: its ARN ends in that one's number."""
    before, _, _ = deployment.revision.rpartition("/")
    return f"{before}/{deployment.rolled_back_to.rpartition('/')[2]}"


def _breaker(deployment: ServiceDeployment) -> shapes.ServiceDeploymentCircuitBreaker:
    limit = threshold(deployment.desired_count, deployment.deployment_configuration)
    if limit is None:
        return shapes.ServiceDeploymentCircuitBreaker(status="DISABLED")
    status = "MONITORING" if deployment.finished_at is None else "MONITORING_COMPLETE"
    return shapes.ServiceDeploymentCircuitBreaker(
        status="TRIGGERED" if deployment.breaker_triggered else status,
        failure_count=deployment.failed_tasks,
        threshold=limit,
    )
