"""The table of service events: the last hundred sentences of each service."""

from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.rules import happenings
from moorage.ecs.store import timeline
from moorage.sql.document import Table
from moorage.sql.transaction import Transaction

EVENTS_MAX = 100

SERVICE_EVENTS = Table("service_events", ServiceEvent, keys=("service", "number"))
_NEWEST = SERVICE_EVENTS.query("service", order=("-number",))
_OF_SERVICE = SERVICE_EVENTS.query("service")


def append(tx: Transaction, event: ServiceEvent) -> None:
    """Keep the next event of a service, and let go of the one that is now the hundred-and-first."""
    timeline.note(tx, happenings.of_event(event))
    SERVICE_EVENTS.put(tx, event)
    SERVICE_EVENTS.delete(tx, event.service, event.number - EVENTS_MAX)


def newest(tx: Transaction, service: str, limit: int = EVENTS_MAX) -> list[ServiceEvent]:
    """The newest events of a service, newest first."""
    return _NEWEST.all(tx, service=service, limit=limit)


def delete_of_service(tx: Transaction, service: str) -> None:
    """Forget all events of a service."""
    _OF_SERVICE.delete(tx, service=service)
