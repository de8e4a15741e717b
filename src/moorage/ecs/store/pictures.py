"""All that an answer shows of some services, gathered in a few queries."""

from collections.abc import Iterable, Sequence

from moorage.ecs.records.picture import Picture
from moorage.ecs.records.service import Service
from moorage.ecs.records.service_deployment import ServiceDeployment
from moorage.ecs.store import service_deployments, service_events, tasks
from moorage.sql.transaction import Transaction


def pictures(tx: Transaction, services: Sequence[Service]) -> list[Picture]:
    """A picture of each service, in their order."""
    arns = [service.arn for service in services]
    brought_out = service_deployments.open_of_services(tx, arns)
    live = tasks.live_of_services(tx, arns)
    return [
        Picture(
            service=service,
            deployments=_primary_first(service, brought_out),
            tasks=tuple(
                one
                for one in live
                if one.service == service.arn and one.created_at >= service.created_at
            ),
            events=tuple(service_events.newest(tx, service.arn)),
        )
        for service in services
    ]


def _primary_first(
    service: Service, deployments: Iterable[ServiceDeployment]
) -> tuple[ServiceDeployment, ...]:
    """The service's own, the PRIMARY before the others: after a rollback it is not the newest."""
    own = [one for one in deployments if one.service == service.arn]
    return tuple(sorted(own, key=lambda one: one.id != service.deployment))
