"""The table of service deployments."""

from collections.abc import Iterable

from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.rules import happenings
from moorage.ecs.store import timeline
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

SERVICE_DEPLOYMENTS = Table(
    "service_deployments",
    ServiceDeployment,
    keys=("arn",),
    columns=("service", "open", "completed_before", "created_at", "task_definition"),
    indices=(("service", "open"), ("service", "created_at"), ("task_definition",)),
)

_BY_ARN = SERVICE_DEPLOYMENTS.query(among="arn")
_OPEN = SERVICE_DEPLOYMENTS.query("service", "open", order=("-created_at",))
_COMPLETED = SERVICE_DEPLOYMENTS.query("service", "completed_before", order=("-created_at",))
_OPEN_OF_SERVICES = SERVICE_DEPLOYMENTS.query("open", among="service", order=("-created_at",))
_OF_SERVICE = SERVICE_DEPLOYMENTS.query("service", order=("-created_at",))
_OF_DEFINITION = SERVICE_DEPLOYMENTS.query("task_definition", order=("-created_at",))


def named(tx: Transaction, arns: Iterable[str]) -> dict[str, ServiceDeployment]:
    """The deployments of those ARNs that are there, by ARN."""
    return {one.arn: one for one in _BY_ARN.all(tx, arn=arns)}


def open_of_service(tx: Transaction, service: str) -> list[ServiceDeployment]:
    """The deployments that still stand in the classic `deployments[]`, newest first."""
    return _OPEN.all(tx, service=service, open=True)


def last_completed(tx: Transaction, service: str) -> ServiceDeployment | None:
    """The newest deployment that was COMPLETED once: where a rollback goes back to."""
    return _COMPLETED.first(tx, service=service, completed_before=True)


def open_of_services(tx: Transaction, services: Iterable[str]) -> list[ServiceDeployment]:
    """`open_of_service` for several services in one query."""
    return _OPEN_OF_SERVICES.all(tx, open=True, service=services)


def of_service(tx: Transaction, service: str) -> list[ServiceDeployment]:
    """All deployments of a service that are remembered, newest first."""
    return _OF_SERVICE.all(tx, service=service)


def of_definition(tx: Transaction, task_definition: str) -> list[ServiceDeployment]:
    """All deployments of a task definition (an ARN) that are remembered, newest first."""
    return _OF_DEFINITION.all(tx, task_definition=task_definition)


def put(tx: Transaction, deployment: ServiceDeployment) -> None:
    """Keep a new or changed deployment; the write of its service guards it."""
    before = SERVICE_DEPLOYMENTS.get(tx, deployment.arn)
    timeline.note(tx, happenings.of_deployment(before, deployment))
    SERVICE_DEPLOYMENTS.put(tx, deployment)


def delete(tx: Transaction, deployment: ServiceDeployment) -> None:
    """Forget one deployment."""
    SERVICE_DEPLOYMENTS.delete(tx, deployment.arn)


def delete_of_service(tx: Transaction, service: str) -> None:
    """Forget all deployments of a service."""
    _OF_SERVICE.delete(tx, service=service)
