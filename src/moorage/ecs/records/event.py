"""A service event: one sentence that says what the scheduler did, or why it could not."""

from moorage.ground.instant import Instant
from moorage.ground.record import Record


class ServiceEvent(Record):
    """One sentence of one service; `number` orders the events of a service."""

    service: str
    number: int
    id: str
    created_at: Instant
    message: str
