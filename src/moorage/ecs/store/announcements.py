"""Sentences that are said to services from outside of their own controller: events of hosts.

What was said already and still holds is not said again (`rules.events.admitted`).
"""

from collections.abc import Callable, Iterable

from moorage.ecs.records.event import ServiceEvent
from moorage.ecs.rules.events import admitted
from moorage.ecs.store import service_events, services
from moorage.ecs.store.drafts import uuid_of
from moorage.ground.instant import Instant
from moorage.ground.record import evolve
from moorage.sql.transaction import Transaction


def announce(tx: Transaction, arns: Iterable[str], sentence: Callable[[str], str]) -> None:
    """Write an event for each of these services (ARNs); `sentence` takes a service's name."""
    for service in sorted(services.named(tx, arns).values(), key=lambda one: one.arn):
        if service.status == "INACTIVE":
            continue
        recent = service_events.newest(tx, service.arn)
        for message in admitted([sentence(service.name)], recent, tx.now):
            number = service.events_written + 1
            service_events.append(
                tx,
                ServiceEvent(
                    service=service.arn,
                    number=number,
                    id=uuid_of(tx.chance),
                    created_at=tx.now,
                    message=message,
                ),
            )
            services.note(tx, evolve(service, events_written=number))


def unaware(tx: Transaction, arns: Iterable[str], words: str, since: Instant) -> list[str]:
    """Those of these services that no event with these words was written for since then."""
    return [
        arn
        for arn in arns
        if not any(
            words in event.message and event.created_at >= since
            for event in service_events.newest(tx, arn)
        )
    ]
