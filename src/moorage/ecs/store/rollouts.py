"""How a deployment begins: its number, its revision with the images pinned, its first row."""

from collections.abc import Sequence

from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.records.service_revision import ServiceRevision
from moorage.ecs.records.task_definition import TaskDefinition
from moorage.ecs.rules.deployment.pinning import revision_images
from moorage.ecs.store import images, service_deployments, service_events, service_revisions
from moorage.ground.arn import make_arn
from moorage.ground.chance import Chance
from moorage.sql.transaction import Transaction

DEPLOYMENTS_MAX = 100
NUMBER_LOW = 10**18  # nineteen digits, as Amazon's have
DEPLOYMENT_ID_DIGITS = 20


def new_number(chance: Chance) -> str:
    """The number that a deployment's id and its revision's ARN share."""
    return str(NUMBER_LOW + chance.below(9 * NUMBER_LOW))


def deployment_id(number: str) -> str:
    """The id that `startedBy` and the classic view show."""
    return f"ecs-svc/{number}"


def begin(
    tx: Transaction,
    names: Sequence[str],
    service: Service,
    definition: TaskDefinition,
    number: str,
) -> ServiceDeployment:
    """Write the deployment `number` of a service, its revision, and the claims on its images.

    `names` are the `HOST:PORT` of our registry, whose tags are resolved here and now.
    """
    before = service_deployments.open_of_service(tx, service.arn)
    revision = _revision(tx, names, service, definition, number)
    deployment = ServiceDeployment(
        account=service.account,
        region=service.region,
        cluster=service.cluster,
        service=service.arn,
        id=deployment_id(number),
        arn=make_arn(
            "service-deployment",
            service.region,
            service.account,
            service.cluster,
            service.name,
            tx.chance.hex(DEPLOYMENT_ID_DIGITS),
        ),
        revision=revision.arn,
        task_definition=definition.arn,
        created_at=tx.now,
        updated_at=tx.now,
        status="PENDING",
        deployment_configuration=service.deployment_configuration,
        desired_count=service.desired_count,
        launch_type=service.launch_type,
        capacity_provider_strategy=service.capacity_provider_strategy,
        source_revisions=tuple(one.revision for one in before),
        rollout_reason=f"ECS deployment {deployment_id(number)} in progress.",
    )
    service_deployments.put(tx, deployment)
    completed = service_deployments.last_completed(tx, service.arn)
    kept = None if completed is None else completed.arn  # a rollback goes back to it
    for old in service_deployments.of_service(tx, service.arn)[DEPLOYMENTS_MAX:]:
        if not old.open and old.arn != kept:
            _forget(tx, old)
    return deployment


def forget_service(tx: Transaction, service: Service) -> None:
    """Forget all that was ever brought out of a service, and let go of its images."""
    for revision in service_revisions.of_service(tx, service.arn):
        images.release(tx, revision.arn)
    service_revisions.delete_of_service(tx, service.arn)
    service_deployments.delete_of_service(tx, service.arn)
    service_events.delete_of_service(tx, service.arn)


def _forget(tx: Transaction, deployment: ServiceDeployment) -> None:
    images.release(tx, deployment.revision)
    service_revisions.delete(tx, deployment.revision)
    service_deployments.delete(tx, deployment)


def _revision(
    tx: Transaction,
    names: Sequence[str],
    service: Service,
    definition: TaskDefinition,
    number: str,
) -> ServiceRevision:
    written = [one.image or "" for one in definition.definition.container_definitions or ()]
    resolved = images.tag_digests(tx, names, service, written)
    revision = ServiceRevision(
        account=service.account,
        region=service.region,
        cluster=service.cluster,
        service=service.arn,
        arn=make_arn(
            "service-revision",
            service.region,
            service.account,
            service.cluster,
            service.name,
            number,
        ),
        number=number,
        task_definition=definition.arn,
        created_at=tx.now,
        launch_type=service.launch_type,
        capacity_provider_strategy=service.capacity_provider_strategy,
        images=revision_images(definition.definition, resolved),
        network_configuration=service.network_configuration,
    )
    service_revisions.put(tx, revision)
    images.claim(tx, names, service, revision.arn, revision.images)
    return revision
