"""A freeze: nothing of a cluster or of one service is started, stopped or replaced for a while."""

from typing import Literal

from moorage.ground.instant import Instant
from moorage.ground.record import Record

# Who froze: a person; the brake, when too many hosts were lost at once; a restored database.
FreezeCause = Literal["operator", "brake", "restore"]


class Freeze(Record):
    """One freeze; `service` is "" where the whole cluster is meant. It ends at `until`, or by hand.

    The brake holds replacement alone; the other two hold every start and stop of the scheduler.
    """

    account: str
    region: str
    cluster: str
    service: str
    cause: FreezeCause
    reason: str
    created_at: Instant
    until: Instant | None = None
    created_by: str = ""
