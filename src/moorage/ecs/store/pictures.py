"""All that an answer shows of some services, gathered in a few queries."""

from collections.abc import Sequence

from moorage.ecs.records.picture import Picture
from moorage.ecs.records.service import Service
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
            deployments=tuple(one for one in brought_out if one.service == service.arn),
            tasks=tuple(
                one
                for one in live
                if one.service == service.arn and one.created_at >= service.created_at
            ),
            events=tuple(service_events.newest(tx, service.arn)),
        )
        for service in services
    ]
