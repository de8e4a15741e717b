"""The table of service revisions."""

from collections.abc import Iterable

from moorage.ecs.records.service_revision import ServiceRevision
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

SERVICE_REVISIONS = Table(
    "service_revisions",
    ServiceRevision,
    keys=("arn",),
    columns=("service", "claimed"),
    indices=(("service", "claimed"),),
)

_BY_ARN = SERVICE_REVISIONS.query(among="arn")
_OF_SERVICE = SERVICE_REVISIONS.query("service")
_CLAIMED = SERVICE_REVISIONS.query("service", "claimed")


def get(tx: Transaction, arn: str) -> ServiceRevision | None:
    """The revision of that ARN."""
    return SERVICE_REVISIONS.get(tx, arn)


def named(tx: Transaction, arns: Iterable[str]) -> dict[str, ServiceRevision]:
    """The revisions of those ARNs that are there, by ARN."""
    return {one.arn: one for one in _BY_ARN.all(tx, arn=arns)}


def of_service(tx: Transaction, service: str) -> list[ServiceRevision]:
    """All revisions of a service that are remembered."""
    return _OF_SERVICE.all(tx, service=service)


def claimed_of_service(tx: Transaction, service: str) -> list[ServiceRevision]:
    """The revisions of a service whose images are claimed."""
    return _CLAIMED.all(tx, service=service, claimed=True)


def put(tx: Transaction, revision: ServiceRevision) -> None:
    """Keep a new revision, or one whose images were pinned."""
    SERVICE_REVISIONS.put(tx, revision)


def delete(tx: Transaction, arn: str) -> None:
    """Forget one revision."""
    SERVICE_REVISIONS.delete(tx, arn)


def delete_of_service(tx: Transaction, service: str) -> None:
    """Forget all revisions of a service."""
    _OF_SERVICE.delete(tx, service=service)
